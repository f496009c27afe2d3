using System.Buffers.Binary;
using System.Numerics;

namespace Nightjar.Storage;

/// <summary>CRC-32C (Castagnoli), with the processor's own instruction where it has one.</summary>
internal static class Crc32C
{
    public const uint Start = uint.MaxValue;

    /// <summary>Goes on with a checksum: begins with <see cref="Start"/>, and the last result inverted is the checksum.</summary>
    public static uint Add(uint state, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= sizeof(ulong))
        {
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (var one in bytes)
        {
            state = BitOperations.Crc32C(state, one);
        }

        return state;
    }

    public static uint Of(ReadOnlySpan<byte> bytes) => ~Add(Start, bytes);
}
