using System.Globalization;

namespace Nightjar.Cli.Output;

/// <summary>Times in the forms of strftime(3) under the C locale, which is what mosquitto_sub's <c>@X</c> prints.</summary>
internal static class TimeText
{
    private static readonly CultureInfo C = CultureInfo.InvariantCulture;

    /// <summary><c>2016-08-10T09:47:38+0100</c></summary>
    public static string Iso8601(DateTimeOffset time) => $"{time.ToString("yyyy-MM-dd'T'HH:mm:ss", C)}{Offset(time)}";

    /// <summary><c>2016-08-10T09:47:38.123456+0100</c></summary>
    public static string Iso8601Microseconds(DateTimeOffset time) => $"{time.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff", C)}{Offset(time)}";

    /// <summary><c>1470818943.786368700</c>: seconds since 1970 and nanoseconds, of which the clock here knows hundreds.</summary>
    public static string Unix(DateTimeOffset time) => $"{time.ToUnixTimeSeconds()}.{Nanoseconds(time)}";

    /// <summary>The nine digits after the second.</summary>
    public static string Nanoseconds(DateTimeOffset time) => $"{time.Ticks % TimeSpan.TicksPerSecond * 100:d9}";

    /// <summary>What strftime makes of one conversion letter; an unknown one stays as it is, with its percent sign.</summary>
    /// <param name="zone">For the name of the time zone.</param>
    public static string Strftime(char letter, DateTimeOffset time, TimeZoneInfo zone) => letter switch
    {
        'a' => time.ToString("ddd", C),
        'A' => time.ToString("dddd", C),
        'b' or 'h' => time.ToString("MMM", C),
        'B' => time.ToString("MMMM", C),
        'c' => $"{time.ToString("ddd MMM", C)} {time.Day,2} {time.ToString("HH:mm:ss yyyy", C)}",
        'C' => $"{time.Year / 100:d2}",
        'd' => $"{time.Day:d2}",
        'D' or 'x' => time.ToString("MM/dd/yy", C),
        'e' => $"{time.Day,2}",
        'F' => time.ToString("yyyy-MM-dd", C),
        'g' => $"{ISOWeek.GetYear(time.DateTime) % 100:d2}",
        'G' => $"{ISOWeek.GetYear(time.DateTime)}",
        'H' => $"{time.Hour:d2}",
        'I' => $"{HourOfTwelve(time):d2}",
        'j' => $"{time.DayOfYear:d3}",
        'k' => $"{time.Hour,2}",
        'l' => $"{HourOfTwelve(time),2}",
        'm' => $"{time.Month:d2}",
        'M' => $"{time.Minute:d2}",
        'n' => "\n",
        'N' => Nanoseconds(time),
        'p' => time.Hour < 12 ? "AM" : "PM",
        'P' => time.Hour < 12 ? "am" : "pm",
        'r' => $"{HourOfTwelve(time):d2}:{time.Minute:d2}:{time.Second:d2} {(time.Hour < 12 ? "AM" : "PM")}",
        'R' => time.ToString("HH:mm", C),
        's' => $"{time.ToUnixTimeSeconds()}",
        'S' => $"{time.Second:d2}",
        't' => "\t",
        'T' or 'X' => time.ToString("HH:mm:ss", C),
        'u' => $"{(time.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)time.DayOfWeek)}",
        'U' => $"{WeekOfYear(time, DayOfWeek.Sunday):d2}",
        'V' => $"{ISOWeek.GetWeekOfYear(time.DateTime):d2}",
        'w' => $"{(int)time.DayOfWeek}",
        'W' => $"{WeekOfYear(time, DayOfWeek.Monday):d2}",
        'y' => $"{time.Year % 100:d2}",
        'Y' => $"{time.Year}",
        'z' => Offset(time),
        'Z' => ZoneName(time, zone),
        '%' => "%",
        _ => $"%{letter}",
    };

    // Abbreviations, as the globalization mode of this tool knows no longer names; but for UTC.
    private static string ZoneName(DateTimeOffset time, TimeZoneInfo zone) =>
        zone.HasSameRules(TimeZoneInfo.Utc) && zone.StandardName == TimeZoneInfo.Utc.StandardName ? "UTC"
        : zone.IsDaylightSavingTime(time) ? zone.DaylightName
        : zone.StandardName;

    private static int HourOfTwelve(DateTimeOffset time) => time.Hour % 12 == 0 ? 12 : time.Hour % 12;

    // Days before the first such weekday of the year are in week 0.
    private static int WeekOfYear(DateTimeOffset time, DayOfWeek first) => (time.DayOfYear + 6 - (((int)time.DayOfWeek - (int)first + 7) % 7)) / 7;

    private static string Offset(DateTimeOffset time)
    {
        var offset = time.Offset.Duration();
        return $"{(time.Offset < TimeSpan.Zero ? '-' : '+')}{offset.Hours:d2}{offset.Minutes:d2}";
    }
}
