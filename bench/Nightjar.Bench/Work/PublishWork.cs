using System.Diagnostics;
using Nightjar.Bench.Peer;

namespace Nightjar.Bench.Work;

/// <summary>QoS 0 from one caller that awaits every call; the clock stops when the peer has the last message.</summary>
internal sealed class PublishWork(PeerEndpoint peer, Row row) : ClientWork(peer, row)
{
    // Reading the clock costs about as much as a tenth of a publish, so it is read once for many.
    private const int PerClock = 1000;

    public override async Task<Run> RunAsync(Quota quota)
    {
        var sent = 0L;
        var started = Stopwatch.GetTimestamp();
        bool last;
        do
        {
            var count = quota.Next(sent, PerClock, out last);
            for (var index = 0; index < count; index++)
            {
                await Client.PublishAsync(Row.Topic, Payload, QoS.AtMostOnce);
            }

            sent += count;
        }
        while (!last);

        var report = await AwaitArrivalAsync(sent);
        return new Run(sent, started, report.Timestamp);
    }
}
