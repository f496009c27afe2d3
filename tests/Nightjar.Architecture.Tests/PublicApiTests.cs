using System.Reflection;
using Xunit;

namespace Nightjar.Architecture.Tests;

/// <summary>The public surface of each package is written down, so that no change of it goes by unseen.</summary>
public sealed class PublicApiTests
{
    /// <summary>Set to 1, it makes the test write the listings instead of comparing them.</summary>
    private const string Update = "NIGHTJAR_UPDATE_API";

    [Theory]
    [InlineData("Nightjar.Protocol")]
    [InlineData("Nightjar")]
    [InlineData("Nightjar.Testing")]
    public void The_public_surface_is_the_one_that_is_written_down(string name)
    {
        var file = $"tests/Nightjar.Architecture.Tests/PublicApi/{name}.txt";
        var path = Path.Combine(Repository.Root, file);
        var listing = PublicApi.Of(Assembly.Load(name));
        if (Environment.GetEnvironmentVariable(Update) == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, listing);
        }

        var changes = Compare(File.Exists(path) ? Repository.Read(file) : "", listing);

        Assert.True(
            changes.Count == 0,
            $"The public surface of {name} is not that of {file} any more:\n\n{string.Join('\n', changes)}\n\n"
            + "If that is meant, say so in CHANGELOG.md and write it down with\n\n"
            + $"    {Update}=1 dotnet run --project tests/Nightjar.Architecture.Tests -- --filter-class '*PublicApiTests'\n");
    }

    [Fact]
    public void The_listing_says_what_a_caller_sees()
    {
        var lines = PublicApi.Of(typeof(MqttClient).Assembly).Split('\n').Select(line => line.Trim()).ToList();

        Assert.Contains("sealed class Nightjar.MqttClient : IAsyncDisposable", lines);
        Assert.Contains("new(string uri)", lines);
        Assert.Contains("ValueTask<Nightjar.PublishResult> PublishAsync(Nightjar.OutgoingMessage message, CancellationToken cancellationToken = default)", lines);
        Assert.Contains("Nightjar.WillMessage? Will { get; set; }", lines);
        Assert.Contains("required string Topic { get; init; }", lines);
        Assert.Contains("AfterHandler = 0", lines);
        Assert.DoesNotContain(lines, line => line.Contains("EngineHost", StringComparison.Ordinal));
    }

    /// <summary>Each line with the type that it belongs to, so that a member that moves from one to another shows.</summary>
    private static List<string> Compare(string written, string found)
    {
        var (before, now) = (Qualified(written), Qualified(found));
        return [.. before.Except(now).Select(line => "- " + line), .. now.Except(before).Select(line => "+ " + line)];
    }

    private static List<string> Qualified(string listing)
    {
        var type = "";
        var lines = new List<string>();
        foreach (var line in listing.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            type = line.StartsWith(' ') ? type : line.Split(" : ")[0];
            lines.Add(line.StartsWith(' ') ? $"{type} | {line.Trim()}" : line);
        }

        return lines;
    }
}
