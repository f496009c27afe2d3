using System.Diagnostics;
using Nightjar.Bench.Peer;
using Nightjar.Bench.Work;

namespace Nightjar.Bench.Bare;

/// <summary>QoS 1 or 2 with many in flight: each read of acknowledgements is answered with one send of PUBRELs and one of new packets.</summary>
internal sealed class BareWindow(PeerEndpoint peer, Row row) : BareWork(peer, row)
{
    private readonly byte[] _input = new byte[BufferSize];
    private readonly AnswerBuffer _releases = new(BufferSize);
    private long _next;

    public override async Task<Run> RunAsync(Quota quota)
    {
        var started = Stopwatch.GetTimestamp();
        var sent = Loop(quota);
        var ended = Stopwatch.GetTimestamp();
        await AwaitArrivalAsync(sent);
        return new Run(sent, started, ended);
    }

    private long Loop(Quota quota)
    {
        var perBuffer = BufferSize / Template.Length;
        var buffer = Template.Repeat(perBuffer);
        var sent = 0L;
        var completed = 0L;
        var filled = 0;
        var last = false;
        while (true)
        {
            var window = Row.InFlight - (int)(sent - completed);
            while (!last && window > 0)
            {
                var count = quota.Next(sent, Math.Min(window, perBuffer), out last);
                for (var index = 0; index < count; index++)
                {
                    Template.SetId(buffer.AsSpan(index * Template.Length), (ushort)((_next++ % ushort.MaxValue) + 1));
                }

                AnswerBuffer.SendAll(Socket, buffer.AsSpan(0, count * Template.Length));
                sent += count;
                window -= count;
            }

            if (last && sent == completed)
            {
                return sent;
            }

            var read = Socket.Receive(_input.AsSpan(filled));
            filled += read > 0 ? read : throw new InvalidOperationException("the peer closed the connection");
            var taken = 0;
            for (; filled - taken >= Wire.AcknowledgementLength; taken += Wire.AcknowledgementLength)
            {
                if (_input[taken] == Wire.PubRecHeader)
                {
                    _releases.Add(Wire.PubRelHeader, (ushort)((_input[taken + 2] << 8) | _input[taken + 3]));
                }
                else
                {
                    completed++;
                }
            }

            _releases.Flush(Socket);
            _input.AsSpan(taken, filled - taken).CopyTo(_input);
            filled -= taken;
        }
    }
}
