using System.Diagnostics;
using System.Text;
using Nightjar.Bench.Peer;
using Nightjar.Bench.Work;

namespace Nightjar.Bench.Bare;

/// <summary>Reads, counts bytes and, at QoS 1, answers each whole packet with a PUBACK, one send per read.</summary>
internal sealed class BareReceive : BareWork
{
    private readonly byte[] _input = new byte[BufferSize];
    private readonly AnswerBuffer _acknowledgements = new(BufferSize);

    public BareReceive(PeerEndpoint peer, Row row)
        : base(peer, row)
    {
        var filter = Encoding.ASCII.GetBytes(Row.Topic);
        Exchange([0x82, (byte)(6 + filter.Length), 0, 1, 0, 0, (byte)filter.Length, .. filter, (byte)row.QoS], answerLength: 6);
    }

    public override async Task<Run> RunAsync(Quota quota)
    {
        var asked = Control.SendAsync(ClientId, Row.QoS, Row.PayloadSize, quota);
        var messages = Loop();
        var ended = Stopwatch.GetTimestamp();
        var sent = await asked;
        new SinkReport(messages, messages * Row.PayloadSize, ended).Check(sent.Messages, Row.PayloadSize);
        return new Run(messages, sent.Started, Row.QoS == 0 ? ended : sent.Ended);
    }

    private long Loop()
    {
        long length = Template.Length;
        var markAt = length - Row.PayloadSize;
        var bytes = 0L;
        var acknowledged = 0L;
        var marked = false;
        while (true)
        {
            var read = Socket.Receive(_input);
            if (read == 0)
            {
                throw new InvalidOperationException("the peer closed the connection");
            }

            var end = bytes + read;
            var lastMarkAt = ((end - 1 - markAt) / length * length) + markAt;
            if (lastMarkAt >= bytes && end > markAt)
            {
                marked = _input[lastMarkAt - bytes] == PublishTemplate.LastMark;
            }

            bytes = end;
            if (Row.QoS == 1)
            {
                for (; acknowledged < bytes / length; acknowledged++)
                {
                    _acknowledgements.Add(Wire.PubAckHeader, (ushort)((acknowledged % ushort.MaxValue) + 1));
                }

                _acknowledgements.Flush(Socket);
            }

            if (marked && bytes % length == 0)
            {
                return bytes / length;
            }
        }
    }
}
