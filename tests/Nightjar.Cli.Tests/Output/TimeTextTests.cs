using System.Globalization;
using Nightjar.Cli.Output;
using Xunit;

namespace Nightjar.Cli.Tests.Output;

public sealed class TimeTextTests
{
    private const string Letters = "aAbBcCdDeFgGhHIjklmMpPrRSTuUVwWxXyYz";

    /// <summary>What strftime of glibc 2.36 makes of each letter, under the C locale.</summary>
    [Theory]
    [InlineData("2026-01-01T00:00:00Z", "Thu|Thursday|Jan|January|Thu Jan  1 00:00:00 2026|20|01|01/01/26| 1|2026-01-01|26|2026|Jan|00|12|001| 0|12|01|00|AM|am|12:00:00 AM|00:00|00|00:00:00|4|00|01|4|00|01/01/26|00:00:00|26|2026|+0000")]
    [InlineData("2024-12-30T12:05:09Z", "Mon|Monday|Dec|December|Mon Dec 30 12:05:09 2024|20|30|12/30/24|30|2024-12-30|25|2025|Dec|12|12|365|12|12|12|05|PM|pm|12:05:09 PM|12:05|09|12:05:09|1|52|01|1|53|12/30/24|12:05:09|24|2024|+0000")]
    [InlineData("2021-01-03T01:59:59Z", "Sun|Sunday|Jan|January|Sun Jan  3 01:59:59 2021|20|03|01/03/21| 3|2021-01-03|20|2020|Jan|01|01|003| 1| 1|01|59|AM|am|01:59:59 AM|01:59|59|01:59:59|7|01|53|0|00|01/03/21|01:59:59|21|2021|+0000")]
    [InlineData("2020-12-31T23:00:00Z", "Thu|Thursday|Dec|December|Thu Dec 31 23:00:00 2020|20|31|12/31/20|31|2020-12-31|20|2020|Dec|23|11|366|23|11|12|00|PM|pm|11:00:00 PM|23:00|00|23:00:00|4|52|53|4|52|12/31/20|23:00:00|20|2020|+0000")]
    [InlineData("2023-01-01T13:30:01Z", "Sun|Sunday|Jan|January|Sun Jan  1 13:30:01 2023|20|01|01/01/23| 1|2023-01-01|22|2022|Jan|13|01|001|13| 1|01|30|PM|pm|01:30:01 PM|13:30|01|13:30:01|7|01|52|0|00|01/01/23|13:30:01|23|2023|+0000")]
    [InlineData("2000-02-29T11:11:11Z", "Tue|Tuesday|Feb|February|Tue Feb 29 11:11:11 2000|20|29|02/29/00|29|2000-02-29|00|2000|Feb|11|11|060|11|11|02|11|AM|am|11:11:11 AM|11:11|11|11:11:11|2|09|09|2|09|02/29/00|11:11:11|00|2000|+0000")]
    [InlineData("2016-08-10T09:47:38Z", "Wed|Wednesday|Aug|August|Wed Aug 10 09:47:38 2016|20|10|08/10/16|10|2016-08-10|16|2016|Aug|09|09|223| 9| 9|08|47|AM|am|09:47:38 AM|09:47|38|09:47:38|3|32|32|3|32|08/10/16|09:47:38|16|2016|+0000")]
    public void Conversions_are_those_of_strftime(string time, string expected)
    {
        var moment = DateTimeOffset.Parse(time, CultureInfo.InvariantCulture);

        Assert.Equal(expected, string.Join('|', Letters.Select(letter => TimeText.Strftime(letter, moment, TimeZoneInfo.Utc))));
    }

    [Theory]
    [InlineData('n', "\n")]
    [InlineData('t', "\t")]
    [InlineData('%', "%")]
    [InlineData('s', "0")]
    [InlineData('N', "000000000")]
    [InlineData('Z', "UTC")]
    [InlineData('E', "%E")]
    [InlineData('!', "%!")]
    public void The_rest_are_single_characters_or_stay_as_they_are(char letter, string expected) =>
        Assert.Equal(expected, TimeText.Strftime(letter, DateTimeOffset.UnixEpoch, TimeZoneInfo.Utc));

    [Theory]
    [InlineData(5.5, "+0530")]
    [InlineData(-3.5, "-0330")]
    [InlineData(14, "+1400")]
    public void The_offset_is_hours_and_minutes(double hours, string expected) =>
        Assert.Equal(expected, TimeText.Strftime('z', new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.FromHours(hours)), TimeZoneInfo.Utc));
}
