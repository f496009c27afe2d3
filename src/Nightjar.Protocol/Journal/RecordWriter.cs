using System.Buffers.Binary;

namespace Nightjar.Protocol.Journal;

/// <summary>
/// Writes the head of a record: fixed fields, in order, behind a byte that says how long they are together. So a later version may add fields at the end, and an earlier one
/// steps over them.
/// </summary>
internal ref struct RecordWriter(Span<byte> buffer)
{
    /// <summary>Room for any head.</summary>
    public const int Largest = 64;

    private readonly Span<byte> _buffer = buffer;
    private int _length = 1;

    public void Write(byte value) => _buffer[_length++] = value;

    public void Write(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer[_length..], value);
        _length += sizeof(ushort);
    }

    public void Write(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_buffer[_length..], value);
        _length += sizeof(int);
    }

    public void Write(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_buffer[_length..], value);
        _length += sizeof(long);
    }

    /// <summary>The head. Zeros at its end are left out: they are read as such.</summary>
    public readonly ReadOnlySpan<byte> ToHead()
    {
        var length = _length;
        while (length > 1 && _buffer[length - 1] == 0)
        {
            length--;
        }

        _buffer[0] = (byte)length;
        return _buffer[..length];
    }
}
