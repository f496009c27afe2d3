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
    private readonly TaskCompletionSource _isSpared = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _stored;

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

    /// <summary>Completes when the last kill is done.</summary>
    public Task IsSpared => _isSpared.Task;

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
            while (Kills < kills)
            {
                // One in three without a pause: then much is on its way when it dies.
                string[] pace = random.Next(3) == 0 ? ["rest=0"] : [];
                await using var process = Start(IsPublisher ? [Again(), .. pace] : pace);
                if (Kills == 0)
                {
                    await ReadyAsync(process);
                }

                // No later than after its share of what is left, so that the last life has something to do too. One in four dies somewhere on its start: while it reads the store, connects, resumes.
                var progress = random.Next(1, Math.Max(2, left / (kills - Kills + 1) / Step)) * Step;
                var reached = process.OutputLineAsync(string.Create(CultureInfo.InvariantCulture, $"{(IsPublisher ? "acknowledged" : "handled")} {progress}."));
                if (Kills > 0 && random.Next(4) == 0)
                {
                    await Task.WhenAny(reached, Task.Delay(random.Next(400)));
                }
                else
                {
                    await reached;
                    await Task.Delay(random.Next(4));
                }

                var exit = await process.KillAsync();
                left -= Read(exit.Output);
                Assert.True(exit.Code == 128 + 9, $"It ended before kill {Kills + 1}: {exit}");
                Kills++;
            }
        }
        catch (Exception error)
        {
            _isReady.TrySetException(error);
            _isSpared.TrySetException(error);
            throw;
        }

        _isSpared.TrySetResult();
        await using var last = Start(IsPublisher ? [Again(), "rest=0"] : []);
        await ReadyAsync(last);
        var end = await last.ExitAsync();
        Read(end.Output);
        Assert.True(end.Code == 0, end.ToString());
        return end;
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
