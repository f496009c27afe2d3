using System.Buffers.Binary;
using System.Numerics;

namespace Nightjar.Storage;

/// <summary>
/// How a record lies in its segment: 24 bytes, the payload, and zeros up to a multiple of 8. All of it is under a checksum that begins with the store's identity and the place in
/// the file. So bytes that only look like a record, because somebody published a piece of a log, are none: they lie elsewhere, or belong to another store.
/// </summary>
/// <remarks>Marker (4), checksum (4), length of the payload (4), type (1), zeros (3), sequence number (8).</remarks>
internal readonly struct RecordFrame
{
    public const int HeaderSize = 24;
    public const int Alignment = 8;

    /// <summary>As long as an MQTT packet can get, and some room for what is said about it.</summary>
    public const int MaximumPayload = (256 * 1024 * 1024) + (64 * 1024);

    private const int CoveredFrom = 8;

    private readonly uint _marker;
    private readonly uint _seed;

    public RecordFrame(Guid storeId)
    {
        Span<byte> identity = stackalloc byte[16];
        storeId.TryWriteBytes(identity, bigEndian: true, out _);
        _seed = Crc32C.Add(Crc32C.Start, identity);
        _marker = Crc32C.Add(_seed, identity);
    }

    public static int SizeOf(int payload) => (HeaderSize + payload + Alignment - 1) & -Alignment;

    /// <summary>Writes a record into exactly its room.</summary>
    public void Write(Span<byte> frame, long offset, long sequence, byte type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        var payload = first.Length + second.Length;
        BinaryPrimitives.WriteUInt32LittleEndian(frame, _marker);
        BinaryPrimitives.WriteInt32LittleEndian(frame[8..], payload);
        BinaryPrimitives.WriteInt32LittleEndian(frame[12..], type);
        BinaryPrimitives.WriteInt64LittleEndian(frame[16..], sequence);
        first.CopyTo(frame[HeaderSize..]);
        second.CopyTo(frame[(HeaderSize + first.Length)..]);
        frame[(HeaderSize + payload)..].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(frame[4..], Checksum(frame, offset));
    }

    /// <summary>Whether a record may begin here.</summary>
    public bool Begins(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes) == _marker;

    /// <summary>The length of the record whose first 24 bytes these are, if it is one; 0 if it cannot be.</summary>
    public int Measure(ReadOnlySpan<byte> header, long available)
    {
        var payload = BinaryPrimitives.ReadInt32LittleEndian(header[8..]);
        if (!Begins(header) || payload is < 0 or > MaximumPayload)
        {
            return 0;
        }

        var size = SizeOf(payload);
        return size <= available ? size : 0;
    }

    /// <summary>Whether this is, to the last bit, what was written at this place.</summary>
    public bool IsIntact(ReadOnlySpan<byte> frame, long offset, long segment) =>
        BinaryPrimitives.ReadUInt32LittleEndian(frame[4..]) == Checksum(frame, offset) && RecordSequence.SegmentOf(Sequence(frame)) == segment;

    public static long Sequence(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadInt64LittleEndian(frame[16..]);

    public static byte Type(ReadOnlySpan<byte> frame) => frame[12];

    public static ReadOnlySpan<byte> Payload(ReadOnlySpan<byte> frame) => frame.Slice(HeaderSize, BinaryPrimitives.ReadInt32LittleEndian(frame[8..]));

    private uint Checksum(ReadOnlySpan<byte> frame, long offset) => ~Crc32C.Add(BitOperations.Crc32C(_seed, (ulong)offset), frame[CoveredFrom..]);
}
