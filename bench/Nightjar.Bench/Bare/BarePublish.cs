using System.Diagnostics;
using Nightjar.Bench.Peer;
using Nightjar.Bench.Work;

namespace Nightjar.Bench.Bare;

/// <summary>QoS 0: one buffer full of packets, sent again and again.</summary>
internal sealed class BarePublish(PeerEndpoint peer, Row row) : BareWork(peer, row)
{
    public override async Task<Run> RunAsync(Quota quota)
    {
        var perBuffer = BufferSize / Template.Length;
        var buffer = Template.Repeat(perBuffer);
        var sent = 0L;
        var started = Stopwatch.GetTimestamp();
        bool last;
        do
        {
            var count = quota.Next(sent, perBuffer, out last);
            AnswerBuffer.SendAll(Socket, buffer.AsSpan(0, count * Template.Length));
            sent += count;
        }
        while (!last);

        var report = await AwaitArrivalAsync(sent);
        return new Run(sent, started, report.Timestamp);
    }
}
