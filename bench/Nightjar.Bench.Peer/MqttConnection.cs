using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;

namespace Nightjar.Bench.Peer;

/// <summary>
/// One MQTT connection on its own thread: reads into one big buffer, parses in place, counts, and answers all that a read brought with one send. As a
/// sink it takes what the client publishes; once the client has subscribed it is a source too (<see cref="Send"/>).
/// </summary>
internal sealed class MqttConnection(Socket socket, ConcurrentDictionary<string, MqttConnection> connections)
{
    // Large enough that a system call is noise at 16 B, small enough to stay in the second-level cache.
    private const int BufferSize = 64 * 1024;

    // Guards the sending side and the run of the source: the control thread starts runs, this connection's thread goes on with them. Taken once per read.
    private readonly Lock _sending = new();
    private readonly byte[] _input = new byte[BufferSize];
    private readonly AnswerBuffer _answers = new(BufferSize);
    private AtLeastOnceRun? _run;
    private bool _version5;
    private int _receiveMaximum = ushort.MaxValue;
    private string? _topic;
    private string _clientId = "";
    private bool _closed;
    private long _messages;
    private long _payloadBytes;

    /// <summary>What the client has published so far.</summary>
    public SinkCount Sink { get; } = new();

    /// <summary>Returns when the client disconnects; throws if it breaks the protocol.</summary>
    public void Run()
    {
        try
        {
            var filled = 0;
            while (true)
            {
                var read = socket.Receive(_input, filled, BufferSize - filled, SocketFlags.None);
                if (read == 0)
                {
                    return;
                }

                filled += read;
                int taken;
                bool ended;
                lock (_sending)
                {
                    taken = Take(_input.AsSpan(0, filled), out ended);
                    Sink.Report(_messages, _payloadBytes);
                    _run?.SendWindow(socket, _answers);
                    _answers.Flush(socket);
                }

                if (ended)
                {
                    return;
                }

                filled -= taken;
                if (taken == 0 && filled == BufferSize)
                {
                    throw new InvalidDataException("a packet is larger than the buffer");
                }

                _input.AsSpan(taken, filled).CopyTo(_input);
            }
        }
        finally
        {
            connections.TryRemove(new KeyValuePair<string, MqttConnection>(_clientId, this));
            Sink.Close();
            lock (_sending)
            {
                _closed = true;
                _run?.Close();
            }
        }
    }

    /// <summary>Publishes to the client, which has subscribed: a number of messages, or for a time. Called from the control thread; returns when all is sent and, at QoS 1, acknowledged.</summary>
    public SourceReport Send(int qos, int payloadSize, Quota quota)
    {
        var topic = _topic ?? throw new InvalidOperationException("no subscription");
        var template = new PublishTemplate(topic, payloadSize, qos, _version5);
        if (qos == 0)
        {
            return SendAtMostOnce(template, quota);
        }

        var run = new AtLeastOnceRun(template, _receiveMaximum, quota);
        lock (_sending)
        {
            _run = run;
            run.SendWindow(socket, _answers);
            if (_closed)
            {
                run.Close();
            }
        }

        return run.Wait();
    }

    private SourceReport SendAtMostOnce(PublishTemplate template, Quota quota)
    {
        var perChunk = Math.Max(1, BufferSize / template.Length);
        var chunk = template.Repeat(perChunk);
        var sent = 0L;
        var first = Stopwatch.GetTimestamp();
        while (true)
        {
            var count = quota.Next(sent, perChunk, out var last);
            if (last)
            {
                template.MarkLast(chunk.AsSpan((count - 1) * template.Length));
            }

            lock (_sending)
            {
                AnswerBuffer.SendAll(socket, chunk.AsSpan(0, count * template.Length));
            }

            sent += count;
            if (last)
            {
                return new SourceReport(sent, first, Stopwatch.GetTimestamp());
            }
        }
    }

    private int Take(ReadOnlySpan<byte> input, out bool ended)
    {
        ended = false;
        var at = 0;
        while (!ended && Wire.TryReadHeader(input, at, out var body, out var length))
        {
            if (length > input.Length - body)
            {
                break;
            }

            var packet = input.Slice(body, length);
            if (input[at] >> 4 == Wire.Publish)
            {
                TakePublish(input[at], packet);
            }
            else
            {
                ended = TakeOther(input[at], packet);
            }

            at = body + length;
        }

        return at;
    }

    private void TakePublish(byte header, ReadOnlySpan<byte> packet)
    {
        var qos = (header >> 1) & 3;
        var at = 2 + BinaryPrimitives.ReadUInt16BigEndian(packet);
        if (qos != 0)
        {
            _answers.Add(qos == 1 ? Wire.PubAckHeader : Wire.PubRecHeader, Wire.ReadId(packet, at));
            at += 2;
        }

        if (_version5)
        {
            at += Wire.ReadLength(packet[at..], out var properties) + properties;
        }

        if (at > packet.Length || qos == 3)
        {
            throw new InvalidDataException("a malformed PUBLISH");
        }

        _messages++;
        _payloadBytes += packet.Length - at;
    }

    private bool TakeOther(byte header, ReadOnlySpan<byte> packet)
    {
        switch (header >> 4)
        {
            case Wire.PubAck:
                (_run ?? throw new InvalidDataException("a PUBACK for nothing")).Acknowledge(Wire.ReadId(packet, 0));
                return false;
            case Wire.PubRel:
                _answers.Add(Wire.PubCompHeader, Wire.ReadId(packet, 0));
                return false;
            case Wire.Connect:
                var connect = ConnectFields.Read(packet);
                _version5 = connect.Level == 5;
                _receiveMaximum = connect.ReceiveMaximum;
                _answers.AddConnAck(_version5);
                _clientId = connect.ClientId;
                connections[_clientId] = this;
                return false;
            case Wire.Subscribe:
                Subscribe(packet);
                return false;
            case Wire.Unsubscribe:
                _answers.AddUnsubAck(Wire.ReadId(packet, 0), _version5);
                return false;
            case Wire.PingReq:
                _answers.AddPingResp();
                return false;
            case Wire.Disconnect:
                return true;
            default:
                throw new InvalidDataException($"packet 0x{header:X2}, which no client of this peer sends");
        }
    }

    private void Subscribe(ReadOnlySpan<byte> packet)
    {
        var at = 2;
        if (_version5)
        {
            at += Wire.ReadLength(packet[at..], out var properties) + properties;
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(packet[at..]);
        _topic = System.Text.Encoding.UTF8.GetString(packet.Slice(at + 2, length));
        var qos = packet[at + 2 + length] & 3;
        if (packet.Length != at + 3 + length)
        {
            throw new InvalidDataException("more than one filter in a SUBSCRIBE");
        }

        _answers.AddSubAck(Wire.ReadId(packet, 0), (byte)qos, _version5);
    }
}
