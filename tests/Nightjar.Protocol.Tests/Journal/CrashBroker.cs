using System.Text;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Tests.Journal;

/// <summary>A server with one session, as small as it can be.</summary>
internal sealed class CrashBroker(Action<bool, string> require, Action<string> accepted)
{
    private readonly List<Delivery> _deliveries = [];
    private readonly Dictionary<ushort, string> _received = [];
    private readonly List<byte> _output = [];
    private PacketDecoder? _decoder;
    private byte[] _unparsed = [];
    private bool _hasSession;
    private bool _hasSubscriptions;
    private bool _isAccepted;
    private ushort _lastId;

    public List<string> Accepted { get; } = [];

    public string? PayloadOf(ushort id) => _deliveries.Find(delivery => delivery.Id == id)?.Payload;

    public List<(string Payload, QoS QoS)> Published { get; } = [];

    public bool IsAtRest => _deliveries.Count == 0 && _received.Count == 0;

    public void Connected()
    {
        _decoder = new PacketDecoder(PacketSender.Client, MqttVersion.Mqtt5);
        _isAccepted = false;
    }

    public void Lose()
    {
        _decoder = null;
        _isAccepted = false;
        _unparsed = [];
        _output.Clear();
    }

    public void ForgetSession()
    {
        _hasSession = _hasSubscriptions = false;
        _deliveries.Clear();
        _received.Clear();
    }

    public void Publish(string topic, string payload, QoS qos)
    {
        if (_hasSubscriptions)
        {
            Published.Add((payload, qos));
            _deliveries.Add(new Delivery { Id = ++_lastId, Topic = topic, Payload = payload, QoS = qos });
            SendDeliveries();
        }
    }

    public byte[] TakeOutput()
    {
        byte[] output = [.. _output];
        _output.Clear();
        return output;
    }

    /// <summary>False: the connection breaks before the rest arrives.</summary>
    public bool Receive(byte[] bytes, long packets)
    {
        byte[] input = [.. _unparsed, .. bytes];
        var position = 0;
        while (_decoder is not null && position < input.Length)
        {
            var status = _decoder.Decode(input.AsSpan(position), bufferFull: false, out var packet, out var consumed);
            require(status is DecodeStatus.Packet or DecodeStatus.NeedMore, $"the client sent {_decoder.Violation}");
            if (status == DecodeStatus.NeedMore)
            {
                break;
            }

            if (packets-- == 0)
            {
                return false;
            }

            position += consumed;
            Handle(packet);
        }

        _unparsed = input[position..];
        return true;
    }

    private void Handle(in DecodedPacket packet)
    {
        switch (packet.Type)
        {
            case PacketType.Connect:
                Connect((ConnectPacket)packet.Other!);
                break;
            case PacketType.Subscribe:
                var subscribe = (SubscribePacket)packet.Other!;
                _hasSubscriptions = true;
                Write(new SubAckPacket { PacketId = subscribe.PacketId, ReasonCodes = [.. subscribe.Subscriptions.Select(_ => ReasonCode.GrantedQoS2)] });
                break;
            case PacketType.Publish:
                Take(packet.Publish.PacketId, Encoding.UTF8.GetString(packet.Publish.Payload), packet.Publish.QoS);
                break;
            case PacketType.PubRel:
                Write(new AckPacket(PacketType.PubComp, packet.Ack.PacketId, _received.Remove(packet.Ack.PacketId) ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound));
                break;
            case PacketType.PubAck or PacketType.PubComp:
                var id = packet.Ack.PacketId;
                _deliveries.RemoveAll(delivery => delivery.Id == id);
                break;
            case PacketType.PubRec:
                var released = packet.Ack.PacketId;
                if (_deliveries.Find(delivery => delivery.Id == released) is { } found)
                {
                    found.Released = true;
                }

                Write(new AckPacket(PacketType.PubRel, released));
                break;
        }
    }

    private void Connect(ConnectPacket packet)
    {
        if (packet.CleanStart)
        {
            require(!_hasSubscriptions, "the client gave its session up");
            ForgetSession();
        }

        Write(new ConnAckPacket { SessionPresent = _hasSession, ReceiveMaximum = 4 });
        if (!_hasSession)
        {
            ForgetSession();
        }

        _hasSession = _isAccepted = true;
        foreach (var delivery in _deliveries)
        {
            delivery.IsSent = false;
        }

        SendDeliveries();
    }

    private void SendDeliveries()
    {
        if (!_isAccepted)
        {
            return;
        }

        foreach (var delivery in _deliveries.Where(delivery => !delivery.IsSent))
        {
            delivery.IsSent = true;
            if (delivery.Released)
            {
                Write(new AckPacket(PacketType.PubRel, delivery.Id));
                continue;
            }

            _output.AddRange(PacketWriter.ToArray(
                new PublishPacket
                {
                    Topic = Encoding.UTF8.GetBytes(delivery.Topic),
                    Payload = Encoding.UTF8.GetBytes(delivery.Payload),
                    QoS = delivery.QoS,
                    PacketId = delivery.Id,
                    Duplicate = delivery.SentEver,
                },
                MqttVersion.Mqtt5));
            delivery.SentEver = true;
        }
    }

    private void Take(ushort id, string payload, QoS qos)
    {
        accepted(payload);
        if (qos == QoS.AtLeastOnce)
        {
            Accepted.Add(payload);
            Write(new AckPacket(PacketType.PubAck, id));
            return;
        }

        if (_received.TryGetValue(id, out var before))
        {
            require(before == payload, $"the identifier of {before} was used for {payload}");
        }
        else
        {
            _received[id] = payload;
            Accepted.Add(payload);
        }

        Write(new AckPacket(PacketType.PubRec, id));
    }

    private void Write(object packet) => _output.AddRange(PacketWriter.ToArray(packet, MqttVersion.Mqtt5));

    private void Write(AckPacket packet) => _output.AddRange(PacketWriter.ToArray(packet, MqttVersion.Mqtt5));

    private sealed class Delivery
    {
        public ushort Id { get; init; }

        public required string Topic { get; init; }

        public required string Payload { get; init; }

        public QoS QoS { get; init; }

        public bool Released { get; set; }

        public bool IsSent { get; set; }

        public bool SentEver { get; set; }
    }
}
