namespace Nightjar.Testing;

/// <summary>Bytes for people.</summary>
internal static class Bytes
{
    // A failure's message has to stay readable; the packets that scripts spell out are shorter than this.
    private const int Shown = 96;

    public static string ToHex(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return "none";
        }

        var hex = string.Join(' ', bytes[..Math.Min(bytes.Length, Shown)].ToArray().Select(value => $"{value:X2}"));
        return bytes.Length > Shown ? $"{hex} ... ({bytes.Length} in all)" : hex;
    }
}
