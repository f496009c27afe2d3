using System.Buffers.Binary;

namespace Nightjar.Protocol.Journal;

/// <summary>Reads what <see cref="RecordWriter"/> wrote: a field that the head does not reach is 0. It believes nothing: what does not fit is not valid.</summary>
internal ref struct RecordReader
{
    private readonly ReadOnlySpan<byte> _head;
    private ReadOnlySpan<byte> _rest;
    private int _position = 1;

    public RecordReader(ReadOnlySpan<byte> payload)
    {
        IsValid = payload.Length > 0 && payload[0] is > 0 and var length && length <= payload.Length;
        _head = IsValid ? payload[..payload[0]] : default;
        _rest = IsValid ? payload[payload[0]..] : default;
    }

    /// <summary>Whether everything that was read so far was there.</summary>
    public bool IsValid { get; private set; }

    /// <summary>What follows the head and was not taken.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    public byte Byte() => (byte)Next(sizeof(byte));

    public ushort UInt16() => (ushort)Next(sizeof(ushort));

    public int Int32() => (int)Next(sizeof(int));

    public long Int64() => Next(sizeof(long));

    /// <summary>The next bytes behind the head.</summary>
    public ReadOnlySpan<byte> Take(int length)
    {
        if (length < 0 || length > _rest.Length)
        {
            IsValid = false;
            return default;
        }

        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }

    private long Next(int size)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        bytes.Clear();
        if (_position < _head.Length)
        {
            _head[_position..Math.Min(_position + size, _head.Length)].CopyTo(bytes);
        }

        _position += size;
        return BinaryPrimitives.ReadInt64LittleEndian(bytes);
    }
}
