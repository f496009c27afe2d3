using System.Globalization;
using System.Text.RegularExpressions;
using Nightjar.Interop.Tests.Processes;
using Xunit;

namespace Nightjar.Interop.Tests.Durable;

/// <summary>One role of the kill proof: started, killed at moments of chance, started again, and at last left to come to its end.</summary>
internal sealed partial class KilledRole(string role, string uri, string directory, Random random) : IDisposable
{
    private const int Step = 10;

    private readonly TaskCompletionSource _isReady = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _killed = new(0);
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

    private bool IsPublisher => role == "publish";

    private string Directory => Path.Combine(directory, role);

    /// <summary>Runs it through so many kills to its end. Each life has its share of the messages, so that there is something to do for all of them.</summary>
    /// <param name="kills">How many.</param>
    /// <param name="messages">How many messages there are for all lives.</param>
    /// <param name="until">The last life is not expected to end before this.</param>
    public async Task<Exit> RunAsync(int kills, int messages, Task? until = null)
    {
        var share = messages / (kills + 1);
        try
        {
            while (Kills < kills)
            {
                await using var process = Start(IsPublisher ? [Again(), Number("messages", share * (Kills + 1)), "hold=1"] : []);
                if (Kills == 0)
                {
                    await ReadyAsync(process);
                }

                // One in four dies somewhere on its start: while it reads the store, connects, resumes; the others on their way, or right after it.
                var progress = process.OutputLineAsync($"{(IsPublisher ? "acknowledged" : "handled")} {Number(random.Next(1, Math.Max(2, share / Step)) * Step)}.");
                var end = Kills > 0 && random.Next(4) == 0 ? Task.Delay(random.Next(400)) : IsPublisher ? process.OutputLineAsync("idle.") : Task.Delay(1000);
                await Task.WhenAny(progress, end);
                await Task.Delay(random.Next(4));

                var exit = await process.KillAsync();
                Read(exit.Output);
                Assert.True(exit.Code == 128 + 9, $"It ended before kill {Kills + 1}: {exit}");
                Kills++;
                _killed.Release();
            }
        }
        catch (Exception error)
        {
            _isReady.TrySetException(error);
            throw;
        }
        finally
        {
            _killed.Release(kills - Kills + 1);
        }

        await using var last = Start(IsPublisher ? [Again()] : []);
        await ReadyAsync(last);
        await (until ?? Task.CompletedTask);
        var ended = await last.ExitAsync();
        Read(ended.Output);
        Assert.True(ended.Code == 0, ended.ToString());
        return ended;
    }

    /// <summary>Waits for the next kill, or for the end of all.</summary>
    public Task KilledAsync() => _killed.WaitAsync();

    public void Dispose() => _killed.Dispose();

    /// <summary>One start, in a way of its own.</summary>
    public ChildProcess Start(IEnumerable<string> more, IReadOnlyList<string>? under = null)
    {
        Starts++;
        string[] command = [.. under ?? [], Program, role, uri, Directory, Number("step", Step), .. Arguments, .. more];
        return ChildProcess.Start(command[0], command[1..]);
    }

    /// <summary>Where to begin to enqueue again: at the beginning, or at any point before what was known to be stored.</summary>
    public string Again() => Number("from", random.Next(2) == 0 ? 1 : random.Next(1, _stored + 2));

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

    private static string Number(string name, int value) => $"{name}={Number(value)}";

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private async Task ReadyAsync(ChildProcess process)
    {
        await process.OutputLineAsync(IsPublisher ? "open." : "subscribed.");
        _isReady.TrySetResult();
    }

    [GeneratedRegex(@"(?<what>stored|acknowledged|handled|resent) (?<number>\d+)[.,]", RegexOptions.ExplicitCapture)]
    private static partial Regex Progress();
}
