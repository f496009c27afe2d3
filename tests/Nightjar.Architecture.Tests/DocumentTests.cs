using System.Text.RegularExpressions;
using Xunit;

namespace Nightjar.Architecture.Tests;

/// <summary>What the documents show exists, and is what the samples compile.</summary>
public sealed partial class DocumentTests
{
    // What ships with a folder of source counts too.
    private static readonly string[] Documents =
    [
        .. new[] { "", "docs", "samples", "src", "tests", "bench" }
            .Select(folder => Path.Combine(Repository.Root, folder))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(
                folder, "*.md", folder == Repository.Root ? SearchOption.TopDirectoryOnly : SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(Repository.Root, file).Replace('\\', '/'))
            .Where(file => !file.Split('/').Any(part => part is "bin" or "obj")),
    ];

    [Fact]
    public void The_program_of_the_readme_is_the_first_sample()
    {
        var programs = CSharp().Matches(Repository.Read("README.md")).Select(match => match.Groups["code"].Value);

        Assert.Equal([Repository.Read("samples/FirstSteps/Program.cs")], programs);
    }

    [Fact]
    public void Every_block_of_csharp_in_the_documents_is_in_a_sample()
    {
        var samples = Repository.SourceFiles.Where(file => file.StartsWith("samples/", StringComparison.Ordinal)).Select(Repository.Read).ToList();
        var blocks = Documents
            .SelectMany(document => CSharp().Matches(Repository.Read(document)).Select(match => (document, code: match.Groups["code"].Value)))
            .ToList();

        var astray = blocks.Where(block => !samples.Exists(sample => Shows(sample, block.code)));

        string[] expected = ["README.md", "samples/README.md", "docs/reconnecting.md", "docs/subscriptions.md", "docs/back-pressure.md", "docs/outbox.md", "docs/delivery-guarantees.md"];
        Assert.Superset(expected.ToHashSet(StringComparer.Ordinal), blocks.Select(block => block.document).ToHashSet(StringComparer.Ordinal));
        Assert.Empty(astray);
    }

    [Theory]
    [InlineData("one();\ntwo();\n", true)]
    [InlineData("if (two())\n{\n    three();\n}\n", true)]
    [InlineData("three();\n", true)]
    [InlineData("two();\nthree();\n", false)]
    [InlineData("two();\none();\n", false)]
    [InlineData("one();\n\ntwo();\n", false)]
    [InlineData("ne();\n", false)]
    [InlineData("one();\n    two();\n", false)]
    public void A_block_may_leave_out_what_stands_before_all_of_its_lines(string block, bool shown)
    {
        const string Sample = "{\n    one();\n    two();\n\n    if (two())\n    {\n        three();\n    }\n}\n";

        Assert.Equal(shown, Shows(Sample, block));
    }

    [Fact]
    public void Every_block_says_what_it_is_in()
    {
        var languages = Documents.SelectMany(document => Fence().Matches(Repository.Read(document)).Select(match => (document, match.Groups["language"].Value)));

        // Another name for one of these would hide it from the tests above.
        Assert.All(languages, block => Assert.Contains(block.Value, new[] { "csharp", "sh" }));
    }

    [Fact]
    public void Links_between_documents_lead_somewhere()
    {
        var astray = Documents
            .SelectMany(document => Link().Matches(Repository.Read(document)).Select(match => (document, target: match.Groups["target"].Value)))
            .Where(link => !Path.Exists(Path.Combine(Repository.Root, Path.GetDirectoryName(link.document)!, link.target)));

        Assert.Contains("ARCHITECTURE.md", Link().Matches(Repository.Read("README.md")).Select(match => match.Groups["target"].Value));
        Assert.Empty(astray);
    }

    [Fact]
    public void Commands_name_projects_that_exist()
    {
        var commands = Documents
            .SelectMany(document => Project().Matches(Repository.Read(document)).Select(match => (document, project: match.Groups["project"].Value)))
            .ToList();

        var astray = commands.Where(command => !Directory.Exists(Path.Combine(Repository.Root, command.project)));

        Assert.Contains(("README.md", "src/Nightjar.Cli"), commands);
        Assert.Empty(astray);
    }

    [Fact]
    public void Every_sample_is_in_the_list_and_in_the_solution()
    {
        var samples = Directory.EnumerateDirectories(Path.Combine(Repository.Root, "samples")).Select(folder => Path.GetFileName(folder));

        Assert.All(samples, sample =>
        {
            Assert.Contains($"`{sample}`", Repository.Read("samples/README.md"), StringComparison.Ordinal);
            Assert.Contains($"samples/{sample}/", Repository.Read("Nightjar.slnx"), StringComparison.Ordinal);
        });
    }

    /// <summary>Whether the lines of a block stand together in a sample, all of them indented by the same.</summary>
    private static bool Shows(string sample, string block)
    {
        var lines = sample.Split('\n');
        var wanted = block.TrimEnd('\n').Split('\n');
        return Enumerable.Range(0, Math.Max(0, lines.Length - wanted.Length + 1)).Any(first =>
        {
            var indentation = lines[first][..^lines[first].TrimStart(' ').Length];
            return !lines[first].AsSpan().Trim().IsEmpty && wanted.Index().All(line => lines[first + line.Index] == (line.Item.Length == 0 ? "" : indentation + line.Item));
        });
    }

    [GeneratedRegex(@"^```csharp\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CSharp();

    [GeneratedRegex(@"^ *```(?<language>[^\n]*)\n.*?^ *```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"\]\((?!https?:)(?<target>[^)#]+)")]
    private static partial Regex Link();

    [GeneratedRegex(@"dotnet (?:run --project|publish) (?<project>[\w./]+)")]
    private static partial Regex Project();
}
