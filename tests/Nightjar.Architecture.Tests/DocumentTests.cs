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
    public void Every_code_block_of_the_samples_page_is_in_a_sample()
    {
        var samples = Repository.SourceFiles.Where(file => file.StartsWith("samples/", StringComparison.Ordinal)).Select(Repository.Read).ToList();

        var astray = CSharp().Matches(Repository.Read("samples/README.md"))
            .Select(match => match.Groups["code"].Value)
            .Where(code => !samples.Exists(sample => sample.Contains(code, StringComparison.Ordinal)));

        Assert.Empty(astray);
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

    [GeneratedRegex(@"^```csharp\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CSharp();

    [GeneratedRegex(@"\]\((?!https?:)(?<target>[^)#]+)")]
    private static partial Regex Link();

    [GeneratedRegex(@"dotnet (?:run --project|publish) (?<project>[\w./]+)")]
    private static partial Regex Project();
}
