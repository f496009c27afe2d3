using System.Buffers.Binary;
using System.Numerics;

namespace Nightjar.Storage;

/// <summary>
/// How a record lies in its segment: 24 bytes, the payload, and zeros up to a multiple of 8. All of it is under a checksum that begins with the store's identity and the place in
/// the file. So bytes that only look like a record, because somebody published a piece of a log, are none: they lie elsewhere, or belong to another store.
/// </summary>
/// <remarks>Marker (4), checksum (4), length of the payload (4), type (1), whether it is encrypted (1), zeros (2), sequence number (8).</remarks>
internal readonly struct RecordFrame
{
    public const int HeaderSize = 24;
    public const int Alignment = 8;

    /// <summary>As long as an MQTT packet can get, and some room for what is said about it.</summary>
    public const int MaximumPayload = (256 * 1024 * 1024) + (64 * 1024);

    /// <summary>Where the checksum begins to cover the record.</summary>
    public const int CoveredFrom = 8;

    public const int SequenceAt = 16;

    private const int EncryptedAt = 13;
    private const int MaximumStored = MaximumPayload + RecordCipher.TrailerSize;

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

    /// <summary>Writes a record into exactly its room, encrypted if there is a cipher.</summary>
    public void Write(Span<byte> frame, long offset, long sequence, byte type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, RecordCipher? cipher)
    {
        var payload = first.Length + second.Length + (cipher is null ? 0 : RecordCipher.TrailerSize);
        BinaryPrimitives.WriteUInt32LittleEndian(frame, _marker);
        BinaryPrimitives.WriteInt32LittleEndian(frame[8..], payload);
        BinaryPrimitives.WriteInt32LittleEndian(frame[12..], type);
        BinaryPrimitives.WriteInt64LittleEndian(frame[SequenceAt..], sequence);
        first.CopyTo(frame[HeaderSize..]);
        second.CopyTo(frame[(HeaderSize + first.Length)..]);
        frame[(HeaderSize + payload)..].Clear();
        if (cipher is not null)
        {
            frame[EncryptedAt] = 1;
            cipher.Seal(frame[..HeaderSize], frame.Slice(HeaderSize, payload), offset);
        }

        Sign(frame, offset);
    }

    /// <summary>Writes the checksum of a record.</summary>
    public void Sign(Span<byte> frame, long offset) => BinaryPrimitives.WriteUInt32LittleEndian(frame[4..], Checksum(frame, offset));

    /// <summary>Whether a record may begin here.</summary>
    public bool Begins(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes) == _marker;

    /// <summary>The length of the record whose first 24 bytes these are, if it is one; 0 if it cannot be.</summary>
    public int Measure(ReadOnlySpan<byte> header, long available)
    {
        var payload = BinaryPrimitives.ReadInt32LittleEndian(header[8..]);
        if (!Begins(header) || payload is < 0 or > MaximumStored)
        {
            return 0;
        }

        var size = SizeOf(payload);
        return size <= available ? size : 0;
    }

    /// <summary>Whether this is, to the last bit, what was written at this place.</summary>
    public bool IsIntact(ReadOnlySpan<byte> frame, long offset, long segment) =>
        BinaryPrimitives.ReadUInt32LittleEndian(frame[4..]) == Checksum(frame, offset) && RecordSequence.SegmentOf(Sequence(frame)) == segment;

    public static long Sequence(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadInt64LittleEndian(frame[SequenceAt..]);

    public static byte Type(ReadOnlySpan<byte> frame) => frame[12];

    /// <summary>What was appended, decrypted in place if need be; false if whoever wrote this does not have the key.</summary>
    /// <exception cref="StorageException">We do not have it.</exception>
    public static bool TryPayload(Span<byte> frame, long offset, RecordKeys keys, out ReadOnlySpan<byte> payload)
    {
        var stored = frame.Slice(HeaderSize, BinaryPrimitives.ReadInt32LittleEndian(frame[8..]));
        payload = stored;
        if (frame[EncryptedAt] == 0)
        {
            return keys.AllowsPlain;
        }

        if (stored.Length < RecordCipher.TrailerSize)
        {
            return false;
        }

        var (keyId, epochAt) = RecordCipher.Trailer(stored);
        payload = stored[..^RecordCipher.TrailerSize];
        return keys.For(keyId, stored.Slice(epochAt, RecordCipher.EpochSize)).TryOpen(frame[..HeaderSize], stored, offset);
    }

    private uint Checksum(ReadOnlySpan<byte> frame, long offset) => ~Crc32C.Add(BitOperations.Crc32C(_seed, (ulong)offset), frame[CoveredFrom..]);
}
