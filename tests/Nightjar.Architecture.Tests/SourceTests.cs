using System.Text.RegularExpressions;
using Xunit;

namespace Nightjar.Architecture.Tests;

/// <summary>The rules of CONTRIBUTING.md that a machine can check.</summary>
public sealed partial class SourceTests
{
    private const int MostLines = 500;

    [Fact]
    public void The_sources_are_found()
    {
        Assert.Contains("src/Nightjar/MqttClient.cs", Repository.SourceFiles);
        Assert.Contains("tests/Nightjar.Architecture.Tests/SourceTests.cs", Repository.SourceFiles);
    }

    [Fact]
    public void No_file_is_longer_than_500_lines()
    {
        var tooLong = Repository.SourceFiles
            .Select(file => (file, lines: Repository.Read(file).Count(character => character == '\n')))
            .Where(entry => entry.lines > MostLines);

        Assert.Empty(tooLong);
    }

    [Fact]
    public void No_file_or_folder_has_a_name_that_says_nothing()
    {
        var empty = Repository.SourceFiles.Where(file => EmptyWord().IsMatch(file));

        Assert.Empty(empty);
    }

    [Fact]
    public void No_type_has_a_name_that_says_nothing()
    {
        var empty = Repository.SourceFiles
            .SelectMany(file => Declaration().Matches(Repository.Read(file)).Select(match => (file, type: match.Groups["name"].Value)))
            .Where(entry => EmptyWord().IsMatch(entry.type));

        Assert.Empty(empty);
    }

    [Fact]
    public void Folders_are_named_like_namespaces_and_by_what_they_hold()
    {
        var odd = Repository.SourceFiles
            .SelectMany(file => file.Split('/')[1..^1])
            .Distinct()
            .Where(folder => !NamespaceLike().IsMatch(folder) || folder is "Extensions" or "Implementations" or "Interfaces" or "Types");

        Assert.Empty(odd);
    }

    [Theory]
    [InlineData("src/Nightjar/PacketHelpers.cs")]
    [InlineData("src/Nightjar/Common/Clock.cs")]
    [InlineData("src/Nightjar/SessionManager.cs")]
    [InlineData("StringUtil")]
    public void An_empty_word_is_recognised(string name) => Assert.Matches(EmptyWord(), name);

    [Theory]
    [InlineData("src/Nightjar/Utf8Rules.cs")]
    [InlineData("src/Nightjar/Commons.cs")]
    [InlineData("Miscount")]
    public void A_word_that_only_begins_like_one_is_not(string name) => Assert.DoesNotMatch(EmptyWord(), name);

    // A whole word of PascalCase: what follows must not go on in lower case.
    [GeneratedRegex("(Helper|Helpers|Util|Utils|Utility|Utilities|Manager|Managers|Common|Misc)(?![a-z])")]
    private static partial Regex EmptyWord();

    [GeneratedRegex(@"^[^/\n]*\b(?:class|struct|record|interface|enum)\s+(?<name>[A-Z]\w*)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^[A-Z][A-Za-z0-9]*(\.[A-Z][A-Za-z0-9]*)*$")]
    private static partial Regex NamespaceLike();
}
