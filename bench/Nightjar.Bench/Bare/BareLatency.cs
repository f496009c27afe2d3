using System.Diagnostics;
using System.Net.Sockets;
using Nightjar.Bench.Peer;
using Nightjar.Bench.Work;

namespace Nightjar.Bench.Bare;

/// <summary>
/// QoS 1 or 2, one after the other, with the asynchronous calls of the socket: a thread that blocks in it is woken faster, but no library for many
/// connections can have one for each.
/// </summary>
internal sealed class BareLatency(PeerEndpoint peer, Row row) : BareWork(peer, row)
{
    private readonly LatencySamples _samples = new();
    private readonly byte[] _answer = new byte[Wire.AcknowledgementLength];

    public override async Task<Run> RunAsync(Quota quota)
    {
        var packet = Template.Repeat(1);
        Template.SetId(packet, 1);
        byte[] release = [Wire.PubRelHeader, 2, 0, 1];
        _samples.Clear();
        var sent = 0L;
        var started = Stopwatch.GetTimestamp();
        var before = started;
        bool last;
        do
        {
            quota.Next(sent, 1, out last);
            await ExchangeAsync(packet);
            if (Row.QoS == 2)
            {
                await ExchangeAsync(release);
            }

            sent++;
            before = _samples.Add(before);
        }
        while (!last);

        await AwaitArrivalAsync(sent);
        return new Run(sent, started, before, _samples.Values);
    }

    private async ValueTask ExchangeAsync(ReadOnlyMemory<byte> packet)
    {
        await Socket.SendAsync(packet, SocketFlags.None);
        for (var filled = 0; filled < _answer.Length;)
        {
            var read = await Socket.ReceiveAsync(_answer.AsMemory(filled), SocketFlags.None);
            filled += read > 0 ? read : throw new InvalidOperationException("the peer closed the connection");
        }
    }
}
