using System.Buffers.Binary;

namespace Nightjar.Storage;

/// <summary>What the first bytes of a file of the log turned out to be.</summary>
internal enum LogHeaderState
{
    Intact,
    Damaged,

    /// <summary>Whole, and of a version that is not known here.</summary>
    Newer,
}

/// <summary>
/// The first 64 bytes of each segment, and of the file that names the store. Later versions of the format keep this layout, so that each can tell which it is.
/// </summary>
/// <param name="Version">Of the format.</param>
/// <param name="StoreId">Random, chosen when the store is made.</param>
/// <param name="Segment">Its number, from 1 on; 0 in the file that names the store.</param>
/// <param name="KeyId">Which key encrypts the records of this segment; 0: none does.</param>
/// <param name="KeyCheck">What only that key gives.</param>
internal readonly record struct LogHeader(uint Version, Guid StoreId, long Segment, int KeyId = 0, UInt128 KeyCheck = default)
{
    public const int Size = 64;
    public const int IdentitySize = 16;
    public const uint CurrentVersion = 1;

    private const int ChecksumAt = Size - sizeof(uint);

    private static ReadOnlySpan<byte> Magic => "NIGHTJAR"u8;

    public void Write(Span<byte> destination)
    {
        destination[..Size].Clear();
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], Version);
        StoreId.TryWriteBytes(destination[16..], bigEndian: true, out _);
        BinaryPrimitives.WriteInt64LittleEndian(destination[32..], Segment);
        BinaryPrimitives.WriteInt32LittleEndian(destination[40..], KeyId);
        BinaryPrimitives.WriteUInt128LittleEndian(destination[44..], KeyCheck);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[ChecksumAt..], Crc32C.Of(destination[..ChecksumAt]));
    }

    public static LogHeaderState Read(ReadOnlySpan<byte> source, out LogHeader header)
    {
        header = default;
        if (source.Length < Size
            || !source.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt32LittleEndian(source[ChecksumAt..]) != Crc32C.Of(source[..ChecksumAt]))
        {
            return LogHeaderState.Damaged;
        }

        header = new LogHeader(
            BinaryPrimitives.ReadUInt32LittleEndian(source[8..]),
            new Guid(source.Slice(16, IdentitySize), bigEndian: true),
            BinaryPrimitives.ReadInt64LittleEndian(source[32..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[40..]),
            BinaryPrimitives.ReadUInt128LittleEndian(source[44..]));
        return header.Version > CurrentVersion ? LogHeaderState.Newer : LogHeaderState.Intact;
    }
}
