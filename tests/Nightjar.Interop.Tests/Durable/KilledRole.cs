using System.Globalization;
using System.Text.RegularExpressions;
using Nightjar.Interop.Tests.Processes;
using Xunit;

namespace Nightjar.Interop.Tests.Durable;

/// <summary>One role of the kill proof: started, killed at moments of chance, started again, and at last left to come to its end.</summary>
internal sealed partial class KilledRole(string role, string uri, string directory, Random random)
{
    private const int Step = 10;

    private readonly TaskCompletionSource _isReady = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The program, as the tests were built with it.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "Nightjar.KillProof");

    /// <summary>More of its arguments, as <c>name=value</c>.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    public int Starts { get; private set; }

    public int Kills { get; private set; }

    /// <summary>How many it sent again, as far as it could still say so.</summary>
    public int Resent { get; private set; }

    /// <summary>Completes when the first start has opened its store, and has subscribed if that is what it does.</summary>
    public Task IsReady => _isReady.Task;

    private bool IsPublisher => role == "publish";

    private string Directory => Path.Combine(directory, role);

    /// <summary>Runs it through so many kills to its end.</summary>
    /// <param name="kills">How many.</param>
    /// <param name="messages">How many messages the kills are spread over.</param>
    public async Task<Exit> RunAsync(int kills, int messages)
    {
        var left = messages;
        try
        {
            for (; Kills < kills; Kills++)
            {
                await using var process = Start(IsPublisher ? [Again()] : []);
                if (Kills == 0)
                {
                    await ReadyAsync(process);
                }

                // One in four dies somewhere on its start, while it reads the store, connects, resumes; the others on their way.
                if (Kills > 0 && random.Next(4) == 0)
                {
                    await Task.Delay(random.Next(500));
                }
                else
                {
                    var progress = random.Next(1, Math.Max(2, left / (kills - Kills + 1) / Step)) * Step;
                    await process.OutputLineAsync(string.Create(CultureInfo.InvariantCulture, $"{(IsPublisher ? "acknowledged" : "handled")} {progress}."));
                    await Task.Delay(random.Next(8));
                }

                await process.KillAsync();
                left -= Read(process.Output);
            }
        }
        catch (Exception error)
        {
            _isReady.TrySetException(error);
            throw;
        }

        await using var last = Start(IsPublisher ? [Again()] : []);
        await ReadyAsync(last);
        var exit = await last.ExitAsync();
        Read(exit.Output);
        Assert.True(exit.Code == 0, exit.ToString());
        return exit;
    }

    /// <summary>One start, in a way of its own.</summary>
    public ChildProcess Start(IEnumerable<string> more, IReadOnlyList<string>? under = null)
    {
        Starts++;
        string[] command = [.. under ?? [], Program, role, uri, Directory, string.Create(CultureInfo.InvariantCulture, $"step={Step}"), .. Arguments, .. more];
        return ChildProcess.Start(command[0], command[1..]);
    }

    /// <summary>Where to begin to enqueue again: at the beginning, or at any point before what was known to be stored.</summary>
    public string Again() => string.Create(CultureInfo.InvariantCulture, $"from={(random.Next(2) == 0 ? 1 : random.Next(1, _stored + 2))}");

    private int _stored;

    /// <summary>Takes note of how far it came; returns how many messages it got done.</summary>
    public int Read(string output)
    {
        var done = 0;
        var resent = 0;
        foreach (Match line in Progress().Matches(output))
        {
            var number = int.Parse(line.Groups["number"].ValueSpan, CultureInfo.InvariantCulture);
            switch (line.Groups["what"].ValueSpan)
            {
                case "stored":
                    _stored = Math.Max(_stored, number);
                    break;
                case "resent":
                    resent = number;
                    break;
                default:
                    done = number;
                    break;
            }
        }

        Resent += resent;
        return done;
    }

    private async Task ReadyAsync(ChildProcess process)
    {
        await process.OutputLineAsync(IsPublisher ? "open." : "subscribed.");
        _isReady.TrySetResult();
    }

    [GeneratedRegex(@"(?<what>stored|acknowledged|handled|resent) (?<number>\d+)[.,]", RegexOptions.ExplicitCapture)]
    private static partial Regex Progress();
}
