using System.Globalization;

namespace Nightjar.Diagnostics;

/// <summary>Text for people and logs, one line each: what a server or an exception says may have several, and control characters in them.</summary>
internal static class OneLine
{
    /// <summary>The lines behind each other.</summary>
    public static string Of(string text) => !text.Any(char.IsControl)
        ? text
        : new string([.. string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Select(c => char.IsControl(c) ? '?' : c)]);

    /// <summary>Of its message.</summary>
    public static string Of(Exception error) => Of(error.Message);

    public static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.###} s");
}
