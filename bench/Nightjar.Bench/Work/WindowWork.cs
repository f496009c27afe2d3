using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Nightjar.Bench.Peer;

namespace Nightjar.Bench.Work;

/// <summary>
/// QoS 1 or 2 with many in flight: one caller keeps them in a ring and awaits the oldest. That is cheaper than a task for each place in the window: of the
/// acknowledgements that come in one read the caller is resumed by the first and finds the others done.
/// </summary>
internal sealed class WindowWork(PeerEndpoint peer, Row row, string directory) : ClientWork(peer, row, directory)
{
    private readonly ValueTask<PublishResult>[] _ring = new ValueTask<PublishResult>[row.InFlight];

    [SuppressMessage("Reliability", "CA2012:Use ValueTasks correctly", Justification = "Each is kept in the ring until it is awaited, once.")]
    public override async Task<Run> RunAsync(Quota quota)
    {
        var qos = (QoS)Row.QoS;
        var sent = 0L;
        var at = 0;
        var started = Stopwatch.GetTimestamp();
        bool last;
        do
        {
            var count = quota.Next(sent, _ring.Length, out last);
            for (var index = 0; index < count; index++)
            {
                // In the first round these are empty and done.
                await _ring[at];
                _ring[at] = Client.PublishAsync(Row.Topic, Payload, qos);
                at = Next(at);
            }

            sent += count;
        }
        while (!last);

        for (var index = 0; index < _ring.Length; index++)
        {
            await _ring[at];
            _ring[at] = default;
            at = Next(at);
        }

        var ended = Stopwatch.GetTimestamp();
        await AwaitArrivalAsync(sent);
        return new Run(sent, started, ended);
    }

    private int Next(int at) => at + 1 == _ring.Length ? 0 : at + 1;
}
