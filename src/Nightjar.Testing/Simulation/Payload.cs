using System.Buffers.Text;

namespace Nightjar.Testing.Simulation;

/// <summary>A payload says which message it belongs to, then goes on for a length that depends on the number.</summary>
internal static class Payload
{
    private const int MostDigits = 10;
    private static readonly byte[] Padding = [.. Enumerable.Repeat((byte)'.', 4096)];

    public static byte[] Of(int number)
    {
        Span<byte> digits = stackalloc byte[MostDigits];
        Utf8Formatter.TryFormat(number, digits, out var length);

        // Most are short; some fill several pieces of a split connection.
        var padding = number % 16 == 7 ? 600 + (number % 1000) : 1 + (number * 7 % 40);
        return [.. digits[..length], .. Padding.AsSpan(0, padding)];
    }

    /// <summary>-1 if it is none of ours.</summary>
    public static int Number(ReadOnlySpan<byte> payload) => Utf8Parser.TryParse(payload, out int number, out _) ? number : -1;
}
