using System.Globalization;
using Nightjar.Bench.Peer;
using Nightjar.Bench.Work;

namespace Nightjar.Bench;

/// <summary>The process whose system calls are counted: warms up, moves an exact number of messages, ends.</summary>
internal static class CountedChild
{
    public const string Option = "--counted-child";

    // Enough for the steady state of pools and buffers; the just-in-time compiler is left behind as well as it can be.
    private const int WarmUpPipelined = 50_000;
    private const int WarmUpLatency = 500;

    public static string[] CommandLine(Arguments arguments) =>
    [
        Option, arguments.Row, Word(arguments.Peer.MqttPort), Word(arguments.Peer.ControlPort), Word(arguments.Peer.DelayedPort), Word(arguments.Messages), arguments.Directory,
    ];

    public static async Task RunAsync(Arguments arguments)
    {
        var row = Row.All.Single(row => row.Name == arguments.Row);
        await using var work = await RowWork.OpenAsync(arguments.Peer, row, arguments.Directory);
        await work.RunAsync(Quota.Of(row.IsLatency ? WarmUpLatency : WarmUpPipelined));
        if (arguments.Messages > 0)
        {
            await work.RunAsync(Quota.Of(arguments.Messages));
        }
    }

    private static string Word(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <param name="Row">By its name.</param>
    /// <param name="Peer">Of the parent.</param>
    /// <param name="Messages">After the warm-up; 0 for the run whose calls are taken off.</param>
    /// <param name="Directory">Where stores lie.</param>
    internal sealed record Arguments(string Row, PeerEndpoint Peer, int Messages, string Directory);
}
