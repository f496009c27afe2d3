using System.Runtime.CompilerServices;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Testing.Simulation;

/// <summary>The broker's end of one connection: what it does with the client's packets, and what it demands of them.</summary>
internal sealed partial class ModelConnection(World world, SimulatedLink link)
{
    // What brokers without the client's Receive Maximum allow themselves.
    private const int MostInFlight = 20;

    private readonly PacketDecoder _decoder = new(PacketSender.Client, MqttVersion.Mqtt5);
    private readonly AnswerOrder _answers = new();
    private readonly Dictionary<ushort, string> _aliases = [];
    private readonly HashSet<ushort> _unanswered = [];
    private readonly List<AckPacket> _heldAcks = [];
    private BrokerOutput? _output;
    private byte[] _unparsed = [];
    private ModelSession? _session;
    private int _window = MostInFlight;
    private int _lastReliable = -1;
    private long _lastOrder;
    private bool _isGone;
    private bool _refuses;

    public int Number => link.Number;

    public bool IsConnected => _session is not null && !_isGone;

    public bool SessionPresent { get; private set; }

    public bool SawDisconnect { get; private set; }

    public bool HoldsAcks => _heldAcks.Count > 0;

    public MqttVersion Version => _decoder.Version;

    /// <summary>Which message an identifier of ours stood for on this connection.</summary>
    public AnswerOrder Answers => _answers;

    /// <summary>The transport is gone.</summary>
    public void Lose()
    {
        _isGone = true;
        _heldAcks.Clear();
        if (world.Broker.Holder == this)
        {
            world.Broker.Holder = null;
        }
    }

    /// <summary>A newer connection has the session.</summary>
    public void Drop()
    {
        _isGone = true;
        link.CloseByServer();
    }

    public void TakenOver()
    {
        if (Version == MqttVersion.Mqtt5)
        {
            Write(new DisconnectPacket { ReasonCode = ReasonCode.SessionTakenOver });
        }

        Drop();
    }

    public void Receive(byte[] bytes)
    {
        if (_isGone)
        {
            return;
        }

        var input = _unparsed.Length == 0 ? bytes : [.. _unparsed, .. bytes];
        var position = 0;
        while (!_isGone)
        {
            var status = _decoder.Decode(input.AsSpan(position), bufferFull: false, out var packet, out var consumed);
            if (status == DecodeStatus.NeedMore)
            {
                break;
            }

            if (status != DecodeStatus.Packet)
            {
                world.Violate($"the client sent {_decoder.Violation}");
                return;
            }

            position += consumed;
            Handle(packet);
        }

        _unparsed = position == input.Length ? [] : input[position..];
        _output?.Flush();
    }

    /// <summary>Sends what the client has room for.</summary>
    public void Pump()
    {
        if (!IsConnected)
        {
            return;
        }

        var charged = 0;
        foreach (var delivery in _session!.Deliveries)
        {
            charged += delivery.IsCharged(Number) ? 1 : 0;
        }

        foreach (var delivery in _session.Deliveries)
        {
            if (charged >= _window)
            {
                break;
            }

            if (delivery.Released || delivery.SentOn == Number)
            {
                continue;
            }

            charged++;
            delivery.SentOn = Number;
            var record = delivery.Record;
            if (record.Phase == InboundPhase.Waiting)
            {
                record.Phase = record.QoS == QoS.AtLeastOnce ? InboundPhase.QoS1Underway : InboundPhase.QoS2Underway;
            }

            _answers.Sent(delivery.PacketId, record);
            _output!.Publish(record, delivery.PacketId, delivery.SentEver);
            delivery.SentEver = true;
        }

        _output!.Flush();
    }

    /// <summary>Sends a QoS 0 message.</summary>
    public void Send(IncomingRecord record)
    {
        _output!.Publish(record, packetId: 0, duplicate: false);
        _output.Flush();
    }

    /// <summary>Acknowledgements were held back long enough.</summary>
    public void ReleaseAcks()
    {
        if (_isGone || world.Broker.AcksHeldUntil > world.Time.Now)
        {
            return;
        }

        AckPacket[] held = [.. _heldAcks];
        _heldAcks.Clear();
        foreach (var ack in held)
        {
            Answered(ack);
        }

        _output?.Flush();
    }

    private void Require(bool holds, [InterpolatedStringHandlerArgument(nameof(holds))] ref Complaint what)
    {
        if (!holds)
        {
            world.Violate($"the client {what.ToText()}");
        }
    }

    private void Require(bool holds, string what) => world.Require(holds, $"the client {what}");

    private void Handle(in DecodedPacket packet)
    {
        if (_refuses)
        {
            return;
        }

        Require(packet.Type == PacketType.Connect == (_session is null), $"sent {packet.Type} {(_session is null ? "first" : "again")}");
        Require(!SawDisconnect, $"sent {packet.Type} after DISCONNECT");
        if (world.Violations.Count > 0)
        {
            return;
        }

        switch (packet.Type)
        {
            case PacketType.Connect:
                Connect((ConnectPacket)packet.Other!);
                break;
            case PacketType.Publish:
                Accept(packet.Publish);
                break;
            case PacketType.PubRel:
                Release(packet.Ack.PacketId);
                break;
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubComp:
                HandleAnswer(packet.Ack);
                break;
            case PacketType.Subscribe:
                Subscribe((SubscribePacket)packet.Other!);
                break;
            case PacketType.Unsubscribe:
                var unsubscribe = (UnsubscribePacket)packet.Other!;
                var codes = unsubscribe.Filters.Select(f => _session!.Subscriptions.Remove(f) ? ReasonCode.Success : ReasonCode.NoSubscriptionExisted);
                Answer(new UnsubAckPacket { PacketId = unsubscribe.PacketId, ReasonCodes = [.. codes] });
                break;
            case PacketType.PingReq:
                Write(default(PingRespPacket));
                break;
            case PacketType.Disconnect:
                SawDisconnect = true;
                Require(!((DisconnectPacket)packet.Other!).ReasonCode.IsFailure(), $"blames the broker: {((DisconnectPacket)packet.Other!).ReasonCode}");
                break;
        }
    }

    private void Connect(ConnectPacket packet)
    {
        _output = new BrokerOutput(world, link, Version, packet.TopicAliasMaximum ?? 0);
        if (world.Broker.Refusals.TryDequeue(out var answers))
        {
            _refuses = true;
            if (answers)
            {
                Write(new ConnAckPacket { ReasonCode = ReasonCode.ServerUnavailable });
                _output.Flush();
                link.CloseByServer();
            }

            return;
        }

        _session = world.Broker.Attach(this, packet.CleanStart, out var present);
        SessionPresent = present;
        _window = Version == MqttVersion.Mqtt5 ? Math.Min(MostInFlight, (int)(packet.ReceiveMaximum ?? ushort.MaxValue)) : MostInFlight;
        Answer(new ConnAckPacket
        {
            SessionPresent = present,
            ReceiveMaximum = (ushort)world.Traits.ServerReceiveMaximum,
            TopicAliasMaximum = (ushort)world.Traits.ServerAliases,
        });
        foreach (var delivery in _session.Deliveries)
        {
            if (delivery.Released)
            {
                delivery.Record.Phase = InboundPhase.QoS2Releasing;
                Write(new AckPacket(PacketType.PubRel, delivery.PacketId));
            }
        }

        Pump();
    }

    private void HandleAnswer(in AckPacket ack)
    {
        var id = ack.PacketId;
        var delivery = _session!.Deliveries.Find(d => d.PacketId == id);
        Require(delivery is not null && (delivery.Released || delivery.SentOn == Number), $"answered {id} with {ack.Type}, and it was not asked");
        if (delivery is null)
        {
            return;
        }

        var record = delivery.Record;
        Require(record.QoS == QoS.AtLeastOnce == (ack.Type == PacketType.PubAck), $"answered {record} with {ack.Type}");
        Require(ack.Type != PacketType.PubComp || delivery.Released, $"sent PUBCOMP for {record} before PUBREL");
        if (ack.Type != PacketType.PubComp)
        {
            Require(_answers.Answered(id, Number), $"answered {record} before an earlier one [MQTT5-4.6.0-2, -3]");
        }

        if (ack.Type == PacketType.PubRec && !ack.ReasonCode.IsFailure())
        {
            delivery.Released = true;
            record.Phase = InboundPhase.QoS2Releasing;
            Acknowledge(new AckPacket(PacketType.PubRel, id));
            return;
        }

        record.Acknowledged();
        _session.Deliveries.Remove(delivery);
        Pump();
    }

    private void Subscribe(SubscribePacket packet)
    {
        foreach (var subscription in packet.Subscriptions)
        {
            _session!.Subscriptions[subscription.Filter] = subscription.QoS;
        }

        Answer(new SubAckPacket { PacketId = packet.PacketId, ReasonCodes = [.. packet.Subscriptions.Select(s => (ReasonCode)s.QoS)] });
        foreach (var subscription in packet.Subscriptions)
        {
            world.Broker.DeliverRetained(_session!, subscription.Filter);
        }
    }

    /// <summary>Now, or when acknowledgements are not held back any more.</summary>
    private void Acknowledge(in AckPacket ack)
    {
        if (world.Broker.AcksHeldUntil > world.Time.Now)
        {
            _heldAcks.Add(ack);
            return;
        }

        Answered(ack);
    }

    private void Answered(in AckPacket ack)
    {
        if (_isGone)
        {
            return;
        }

        switch (ack.Type)
        {
            case PacketType.PubAck or PacketType.PubComp:
                _unanswered.Remove(ack.PacketId);
                break;
            case PacketType.PubRec:
                _answers.Received(ack.PacketId);
                break;
        }

        Answer(ack);
    }

    /// <summary>Writes what the client waits for; where the next one is to be lost, it arrives in part or not at all.</summary>
    private void Answer(object packet)
    {
        if (!world.Broker.LosesNextAck || _isGone)
        {
            Write(packet);
            return;
        }

        world.Broker.LosesNextAck = false;
        _output!.Flush();
        link.BreaksBy = SimulatedFault.LostAcknowledgement;
        var before = link.ToClient.Carried + link.ToClient.Underway;
        Write(packet);
        _output.Flush();
        link.ToClient.Break(before + world.Random.Below(4));
    }

    private void Write(object packet)
    {
        if (!_isGone)
        {
            _output!.Write(packet);
        }
    }
}
