using System.Globalization;
using System.Text.RegularExpressions;
using Nightjar.Interop.Tests.Mosquitto;
using Nightjar.Interop.Tests.Processes;
using Xunit;

namespace Nightjar.Interop.Tests.Durable;

/// <summary>A publisher is killed on entering a write, an fsync or a send: at each of 500 that follow one another (a few of them in the short mode), each in a start of its own.</summary>
/// <remarks>
/// strace counts for itself in each thread, and for each system call. So the program gets a thread pool of one thread, which then does all writing, syncing and sending. A start that nobody disturbs shows in
/// which order it does so; its n-th call is the m-th of its kind, and the n-th kill hits that: <c>inject=NAME:signal=SIGKILL:when=M</c>. SIGKILL comes before the call has any effect, so the kill at the call
/// behind it is the kill after it.
/// </remarks>
public sealed partial class CallKillTests(ITestOutputHelper output)
{
    private const int Calls = 500;
    private const string Kinds = "pwrite64,pwritev,fsync,fdatasync,sendto,sendmsg";

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("NIGHTJAR_LONG") == "1";

    // A start that is killed at its n-th call brings about n / 6 of them through: 500 starts some 20,900, and the last of them is to have something left.
    private static readonly int Messages = IsLong ? 22_000 : 20_000;

    // A start gets through few messages, so that there are some left for the last one. One fsync for each commit: with less of them there would be hardly any to hit.
    private static readonly string[] Slowly = ["qos=2", "window=2", "durability=EveryMessage"];

    private readonly int _seed = Random.Shared.Next();

    [Fact]
    public async Task A_publisher_that_is_killed_at_its_system_calls_loses_nothing()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Programs.AreInstalled("strace"), "strace is not installed.");
        var random = new Random(_seed);
        var calls = await MeasureAsync();
        var chosen = IsLong ? calls : [.. calls.Take(4), .. random.GetItems(calls.ToArray(), 4)];

        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Persistence = true, MaximumInFlight = 200, LogsPackets = false });
        using var directory = new TemporaryDirectory();
        await using var listener = await Listener.StartAsync(broker, QoS.ExactlyOnce);
        using var publisher = new KilledRole("publish", broker.Uri, directory.Path, random) { Arguments = [.. Slowly, string.Create(CultureInfo.InvariantCulture, $"messages={Messages}")] };

        var missed = new List<string>();
        foreach (var (name, number) in chosen)
        {
            var inject = string.Create(CultureInfo.InvariantCulture, $"inject={name}:signal=SIGKILL:when={number}");
            // With two on their way throughout, all messages would be through before the last calls are.
            string[] window = publisher.Starts % 2 == 0 ? ["window=1"] : [];
            await using var process = publisher.Start([publisher.Again(), .. window], Under("/dev/null", "-e", inject));
            var killed = await process.ExitAsync();
            publisher.Read(killed.Output);
            if (killed.Code != 128 + 9)
            {
                missed.Add($"{inject}: {killed}");
            }
        }

        await using var last = publisher.Start([publisher.Again(), "window=0", "durability=Grouped"]);
        var exit = await last.ExitAsync();
        publisher.Read(exit.Output);
        await listener.EndAsync();

        var kinds = string.Join(", ", chosen.CountBy(call => call.Name).Select(kind => $"{kind.Value} at {kind.Key}"));
        output.WriteLine(
            $"system calls: seed {_seed}, {chosen.Count - missed.Count} kills of {chosen.Count} ({kinds}), {publisher.Starts} starts, {publisher.Resent} resent, {listener.Arrived} arrived, of these {listener.Arrived - Messages} repeated; {exit.Output.Split('\n')[^2]}");
        Assert.True(exit.Code == 0, exit.ToString());
        Assert.True(missed.Count == 0, $"{missed.Count} calls were never made: {string.Join('\n', missed)}");
        listener.AssertComplete(Messages, exactlyOnce: true);
    }

    /// <summary>The calls of a start that nobody disturbs, in order: each is the n-th of its kind.</summary>
    private static async Task<IReadOnlyList<(string Name, int Number)>> MeasureAsync()
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { LogsPackets = false });
        using var directory = new TemporaryDirectory();
        var trace = Path.Combine(directory.Path, "trace");
        using var publisher = new KilledRole("publish", broker.Uri, directory.Path, Random.Shared) { Arguments = [.. Slowly, $"messages={Calls}"] };
        await using (var process = publisher.Start([], Under(trace)))
        {
            var exit = await process.ExitAsync();
            Assert.True(exit.Code == 0, exit.ToString());
        }

        var calls = (await File.ReadAllLinesAsync(trace)).Select(line => Call().Match(line)).Where(call => call.Success).ToList();
        Assert.True(calls.DistinctBy(call => call.Groups["thread"].Value).Count() == 1, "Several threads write and send, so strace cannot count their calls together.");
        Assert.True(calls.Count >= Calls, $"There are only {calls.Count} calls.");

        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        return [.. calls.Take(Calls).Select(call => call.Groups["name"].Value).Select(name => (name, counts[name] = counts.GetValueOrDefault(name) + 1))];
    }

    private static string[] Under(string trace, params string[] more) =>
    [
        "env", "DOTNET_ThreadPool_ForceMinWorkerThreads=1", "DOTNET_ThreadPool_ForceMaxWorkerThreads=1",
        "strace", "-f", "-qq", "-o", trace, "-e", $"trace={Kinds}", .. more,
    ];

    [GeneratedRegex(@"^(?<thread>\d+) +(?<name>[a-z0-9]+)\(", RegexOptions.ExplicitCapture)]
    private static partial Regex Call();
}
