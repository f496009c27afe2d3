using System.Globalization;

namespace Nightjar.Storage;

/// <summary>The names of the files of a log.</summary>
internal static class SegmentName
{
    /// <summary>The file that names the store, and is locked while the store is open.</summary>
    public const string Store = "store";

    private const string Suffix = ".log";
    private const int Digits = 16;

    public static string Of(long number) => number.ToString("x16", CultureInfo.InvariantCulture) + Suffix;

    public static bool TryParse(string name, out long number)
    {
        number = 0;
        return name.Length == Digits + Suffix.Length
            && name.EndsWith(Suffix, StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(0, Digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number)
            && number > 0
            && string.Equals(name, Of(number), StringComparison.Ordinal);
    }
}
