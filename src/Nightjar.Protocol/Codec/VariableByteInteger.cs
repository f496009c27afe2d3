using System.Runtime.CompilerServices;

namespace Nightjar.Protocol.Codec;

/// <summary>The variable byte integer (MQTT 5, 1.5.5): seven bits per byte, the lowest first; the eighth says that more follow.</summary>
internal static class VariableByteInteger
{
    /// <summary>What four bytes can say.</summary>
    public const int Maximum = 268_435_455;

    public const int MaximumSize = 4;

    /// <summary>The fewest bytes for a value, which are the only legal ones [MQTT5-1.5.5-1].</summary>
    public static int SizeOf(uint value) => value < 1 << 7 ? 1 : value < 1 << 14 ? 2 : value < 1 << 21 ? 3 : 4;

    /// <summary>Writes a value up to <see cref="Maximum"/> and returns its size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Write(Span<byte> destination, uint value)
    {
        if (value < 0x80)
        {
            destination[0] = (byte)value;
            return 1;
        }

        return WriteLong(destination, value);
    }

    private static int WriteLong(Span<byte> destination, uint value)
    {
        int size = 0;
        while (value >= 0x80)
        {
            destination[size++] = (byte)(value | 0x80);
            value >>= 7;
        }

        destination[size++] = (byte)value;
        return size;
    }

    /// <summary>Reads a value and returns its size; 0 if it is not complete, -1 if it goes on after four bytes.</summary>
    public static int Read(ReadOnlySpan<byte> source, out uint value)
    {
        value = 0;
        for (int i = 0; i < MaximumSize; i++)
        {
            if (i >= source.Length)
            {
                return 0;
            }

            value |= (uint)(source[i] & 0x7F) << (7 * i);
            if (source[i] < 0x80)
            {
                return i + 1;
            }
        }

        return -1;
    }
}
