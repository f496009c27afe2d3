using System.Text.RegularExpressions;
using Xunit;

namespace Nightjar.Architecture.Tests;

/// <summary>The table of <c>docs/parity.md</c>: every feature that it promises to cover is there once, and the tests that it names exist.</summary>
public sealed partial class ParityTests
{
    // Z: Zephyr, M: Mongoose OS, E: ESP-MQTT, I: Ioto, T: Toit, N: Toit's redesign; numbers as in the table. An id that is covered is added here and never taken away.
    private const string Covered =
        """
        Z3 Z9 Z12-17 Z23-28
        M3-20 M22-28 M31-34 M36-38 M42 M44
        E1-9 E11-12 E15-43 E46-51 E57 E60
        I4-6 I9-24 I26-34
        T3-29
        N1-13
        """;

    private const string Reason = "No meaning here:";

    private static readonly IReadOnlyList<Row> Rows =
    [
        .. TableRow().Matches(Repository.Read("docs/parity.md")).Select(match => new Row(match.Groups["id"].Value, match.Groups["shown"].Value.Trim())),
    ];

    [Fact]
    public void Every_covered_feature_stands_in_the_table_once()
    {
        var ids = Covered.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).SelectMany(Expand).ToList();

        Assert.Equal(ids.Order(StringComparer.Ordinal), Rows.Select(row => row.Id).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_row_names_tests_or_says_why_it_has_none()
    {
        var empty = Rows.Where(row => row.Tests.Count == 0 && !row.Shown.StartsWith(Reason, StringComparison.Ordinal)).Select(row => row.Id);

        Assert.Empty(empty);
    }

    [Fact]
    public void Every_test_that_the_table_names_exists()
    {
        var tests = Repository.SourceFiles
            .Where(file => file.StartsWith("tests/", StringComparison.Ordinal))
            .Select(Repository.Read)
            .SelectMany(Tests)
            .ToHashSet(StringComparer.Ordinal);

        var astray = Rows.SelectMany(row => row.Tests.Where(test => !tests.Contains(test)).Select(test => $"{row.Id}: {test}"));

        Assert.Empty(astray);
    }

    private static IEnumerable<string> Expand(string range)
    {
        var numbers = range[1..].Split('-').Select(int.Parse).ToArray();
        return Enumerable.Range(numbers[0], numbers[^1] - numbers[0] + 1).Select(number => $"{range[0]}{number}");
    }

    /// <summary>All tests of a file, each by all classes of it: a file holds one idea, and rarely two classes.</summary>
    private static IEnumerable<string> Tests(string source)
    {
        var methods = TestMethod().Matches(source).Select(match => match.Groups["name"].Value).ToList();
        return Class().Matches(source).SelectMany(type => methods.Select(method => $"{type.Groups["name"].Value}.{method}"));
    }

    [GeneratedRegex(@"^\| (?<id>[A-Z]\d+) \|[^|\n]*\|[^|\n]*\|(?<shown>[^|\n]*)\|$", RegexOptions.Multiline)]
    private static partial Regex TableRow();

    [GeneratedRegex("`(?<test>[A-Za-z0-9_]+\\.[A-Za-z0-9_]+)`")]
    private static partial Regex TestName();

    [GeneratedRegex(@"\bclass (?<name>\w+)")]
    private static partial Regex Class();

    // The attribute, perhaps others, then the method.
    [GeneratedRegex(@"\[(?:Fact|Theory|Property)\b[^\n]*\n(?:\s*\[[^\n]*\n)*\s*public [^(=;\n]*?(?<name>\w+)\(")]
    private static partial Regex TestMethod();

    private sealed record Row(string Id, string Shown)
    {
        public IReadOnlyList<string> Tests { get; } = [.. TestName().Matches(Shown).Select(match => match.Groups["test"].Value)];
    }
}
