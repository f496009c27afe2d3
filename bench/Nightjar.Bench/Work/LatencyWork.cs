using System.Diagnostics;
using Nightjar.Bench.Peer;

namespace Nightjar.Bench.Work;

/// <summary>QoS 1 or 2, one after the other: the time of each.</summary>
internal sealed class LatencyWork(PeerEndpoint peer, Row row) : ClientWork(peer, row)
{
    private readonly LatencySamples _samples = new();

    public override async Task<Run> RunAsync(Quota quota)
    {
        var qos = (QoS)Row.QoS;
        _samples.Clear();
        var sent = 0L;
        var started = Stopwatch.GetTimestamp();
        var before = started;
        bool last;
        do
        {
            quota.Next(sent, 1, out last);
            await Client.PublishAsync(Row.Topic, Payload, qos);
            sent++;
            before = _samples.Add(before);
        }
        while (!last);

        await AwaitArrivalAsync(sent);
        return new Run(sent, started, before, _samples.Values);
    }
}
