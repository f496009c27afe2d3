using System.Text;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Tests.Engine.Simulated;

/// <summary>The client did what no client may do.</summary>
internal sealed class ModelViolationException(string message) : Exception(message);

/// <summary>
/// A broker for one client, as small as the specification allows: sessions, QoS 0 to 2 both ways, Receive Maximum both ways. It does everything at once and in order,
/// and throws on whatever a correct client would not send.
/// </summary>
internal sealed class ModelBroker(int receiveMaximum)
{
    private readonly List<byte> _output = [];
    private readonly HashSet<ushort> _unanswered = [];
    private byte[] _unparsed = [];
    private PacketDecoder? _decoder;
    private bool _connected;
    private int _clientReceiveMaximum;

    /// <summary>The client's session; null before its first CONNECT.</summary>
    public ModelSession? Session { get; private set; }

    /// <summary>Every application message that arrived; a QoS 2 message when its identifier was new.</summary>
    public List<ModelMessage> Accepted { get; } = [];

    /// <summary>Forget the session before the next CONNECT.</summary>
    public bool LoseSession { get; set; }

    /// <summary>The client closed the connection in order.</summary>
    public bool SawDisconnect { get; private set; }

    /// <summary>All deliveries have the client's last word.</summary>
    public bool IsDrained => Session is null or { Deliveries.Count: 0 };

    /// <summary>A transport was opened.</summary>
    public void Open()
    {
        _decoder = new PacketDecoder(PacketSender.Client, MqttVersion.Mqtt5);
        _unparsed = [];
        _output.Clear();
        _unanswered.Clear();
        _connected = false;
        SawDisconnect = false;
    }

    /// <summary>The transport is gone.</summary>
    public void Lose()
    {
        _decoder = null;
        _connected = false;
        _output.Clear();
    }

    /// <summary>What the broker has to say.</summary>
    public byte[] Take()
    {
        byte[] bytes = [.. _output];
        _output.Clear();
        return bytes;
    }

    public void Receive(ReadOnlySpan<byte> bytes)
    {
        byte[] input = [.. _unparsed, .. bytes];
        var position = 0;
        while (true)
        {
            var status = _decoder!.Decode(input.AsSpan(position), bufferFull: false, out var packet, out var consumed);
            if (status == DecodeStatus.NeedMore)
            {
                break;
            }

            Require(status == DecodeStatus.Packet, $"sent {_decoder.Violation}");
            position += consumed;
            Handle(packet);
        }

        _unparsed = input[position..];
    }

    /// <summary>Another client publishes.</summary>
    public void Publish(ModelMessage message)
    {
        var granted = Session?.Subscriptions.Where(s => TopicFilter.Parse(s.Key).Matches(message.Topic)).Select(s => s.Value).ToList() ?? [];
        if (granted.Count == 0)
        {
            return;
        }

        var qos = (QoS)Math.Min((int)message.QoS, (int)granted.Max());
        if (qos == QoS.AtMostOnce)
        {
            Write(new PublishPacket { Topic = Utf8(message.Topic), Payload = Utf8(message.Payload) });
            return;
        }

        var session = Session!;
        do
        {
            session.LastId = (ushort)(session.LastId % ushort.MaxValue + 1);
        }
        while (session.Deliveries.Exists(d => d.PacketId == session.LastId));

        session.Deliveries.Add(new ModelDelivery(session.LastId, message with { QoS = qos }));
        Pump();
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new ModelViolationException($"The client {what}.");
        }
    }

    private void Handle(in DecodedPacket packet)
    {
        Require(_connected == (packet.Type != PacketType.Connect), $"sent {packet.Type} {(_connected ? "again" : "first")}");
        Require(!SawDisconnect, $"sent {packet.Type} after DISCONNECT");
        switch (packet.Type)
        {
            case PacketType.Connect:
                Connect((ConnectPacket)packet.Other!);
                break;
            case PacketType.Publish:
                Accept(packet.Publish);
                break;
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubComp:
                Answered(packet.Ack);
                break;
            case PacketType.PubRel:
                var known = Session!.Received.Remove(packet.Ack.PacketId);
                _unanswered.Remove(packet.Ack.PacketId);
                Write(new AckPacket(PacketType.PubComp, packet.Ack.PacketId, known ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound));
                break;
            case PacketType.Subscribe:
                var subscribe = (SubscribePacket)packet.Other!;
                foreach (var subscription in subscribe.Subscriptions)
                {
                    Session!.Subscriptions[subscription.Filter] = subscription.QoS;
                }

                Write(new SubAckPacket { PacketId = subscribe.PacketId, ReasonCodes = [.. subscribe.Subscriptions.Select(s => (ReasonCode)s.QoS)] });
                break;
            case PacketType.Unsubscribe:
                var unsubscribe = (UnsubscribePacket)packet.Other!;
                var codes = unsubscribe.Filters
                    .Select(filter => Session!.Subscriptions.Remove(filter) ? ReasonCode.Success : ReasonCode.NoSubscriptionExisted).ToList();
                Write(new UnsubAckPacket { PacketId = unsubscribe.PacketId, ReasonCodes = codes });
                break;
            case PacketType.PingReq:
                Write(default(PingRespPacket));
                break;
            case PacketType.Disconnect:
                SawDisconnect = true;
                break;
        }
    }

    private void Connect(ConnectPacket packet)
    {
        _connected = true;
        if (packet.CleanStart || LoseSession)
        {
            Session = null;
            LoseSession = false;
        }

        var present = Session is not null;
        Session ??= new ModelSession();
        _clientReceiveMaximum = packet.Version == MqttVersion.Mqtt5 ? packet.ReceiveMaximum ?? ushort.MaxValue : ushort.MaxValue;
        Write(new ConnAckPacket { SessionPresent = present, ReceiveMaximum = (ushort)receiveMaximum });
        foreach (var delivery in Session.Deliveries)
        {
            delivery.SentNow = false;
        }

        foreach (var delivery in Session.Deliveries.Where(d => d.Released))
        {
            delivery.SentNow = true;
            Write(new AckPacket(PacketType.PubRel, delivery.PacketId));
        }

        Pump();
    }

    private void Accept(in PublishPacket packet)
    {
        var message = new ModelMessage(Encoding.UTF8.GetString(packet.Topic), Encoding.UTF8.GetString(packet.Payload), packet.QoS);
        if (packet.QoS == QoS.AtMostOnce)
        {
            Accepted.Add(message);
            return;
        }

        var session = Session!;
        var again = session.LastPayload.TryGetValue(packet.PacketId, out var payload) && payload == message.Payload;
        Require(packet.Duplicate || !again, $"sent {message.Payload} again without DUP");
        session.LastPayload[packet.PacketId] = message.Payload;
        if (packet.QoS == QoS.AtLeastOnce)
        {
            Accepted.Add(message);
            Write(new AckPacket(PacketType.PubAck, packet.PacketId));
            return;
        }

        _unanswered.Add(packet.PacketId);
        Require(_decoder!.Version < MqttVersion.Mqtt5 || _unanswered.Count <= receiveMaximum, $"sent {_unanswered.Count} messages and may send {receiveMaximum}");
        if (session.Received.TryGetValue(packet.PacketId, out var first))
        {
            Require(first == message.Payload, $"used identifier {packet.PacketId} for {message.Payload} and for {first}");
        }
        else
        {
            session.Received[packet.PacketId] = message.Payload;
            Accepted.Add(message);
        }

        Write(new AckPacket(PacketType.PubRec, packet.PacketId));
    }

    private void Answered(in AckPacket ack)
    {
        var id = ack.PacketId;
        var delivery = Session!.Deliveries.Find(d => d.PacketId == id);
        Require(delivery is { SentNow: true }, $"answered {id} with {ack.Type}, and it was not asked");
        Require(delivery!.Message.QoS == QoS.AtLeastOnce == (ack.Type == PacketType.PubAck), $"answered {id} with {ack.Type}");
        Require(ack.Type != PacketType.PubComp || delivery.Released, $"sent PUBCOMP for {id} before PUBREL");
        if (ack.Type == PacketType.PubRec)
        {
            delivery.Released = true;
            Write(new AckPacket(PacketType.PubRel, id));
            return;
        }

        Session.Deliveries.Remove(delivery);
        Pump();
    }

    private void Pump()
    {
        if (!_connected)
        {
            return;
        }

        foreach (var delivery in Session!.Deliveries.Where(d => !d.SentNow))
        {
            if (Session.Deliveries.Count(d => d.SentNow) >= _clientReceiveMaximum)
            {
                return;
            }

            Write(new PublishPacket
            {
                Topic = Utf8(delivery.Message.Topic),
                Payload = Utf8(delivery.Message.Payload),
                QoS = delivery.Message.QoS,
                PacketId = delivery.PacketId,
                Duplicate = delivery.SentEver,
            });
            delivery.SentEver = delivery.SentNow = true;
        }
    }

    private void Write(object packet)
    {
        if (_connected)
        {
            _output.AddRange(PacketWriter.ToArray(packet, _decoder!.Version));
        }
    }

    private void Write(in PublishPacket packet)
    {
        if (_connected)
        {
            _output.AddRange(PacketWriter.ToArray(packet, _decoder!.Version));
        }
    }
}
