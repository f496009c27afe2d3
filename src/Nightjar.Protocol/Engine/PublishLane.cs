using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Session;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// Encodes PUBLISHes into the data lane of one connection: what the server's limits say to them, and a topic alias where one is worth it. Guarded with the outbound half.
/// </summary>
internal sealed class PublishLane(OutputLane lane, OutboxSettings settings, EngineCounters counters)
{
    // An alias takes three bytes of property, so it is worth it for longer topics only.
    private const int ShortestAliasedTopic = 8;

    private ServerLimits _limits = ServerLimits.None;
    private OutboundAliases? _aliases;
    private MqttVersion _version;

    /// <summary>A connection was accepted.</summary>
    public void Open(MqttVersion version, ServerLimits limits)
    {
        _version = version;
        _limits = limits.MaximumQoS <= settings.MaximumQoS ? limits : limits with { MaximumQoS = settings.MaximumQoS };
        var aliases = Math.Min(limits.TopicAliasMaximum, settings.MaximumTopicAliases);
        _aliases = aliases > 0 ? new OutboundAliases(aliases) : null;
    }

    /// <summary>The connection is gone, and its aliases with it [MQTT5-3.3.2-7].</summary>
    public void Close() => _aliases = null;

    /// <summary>Why the server does not take a message; null if it does, with <paramref name="qos"/> lowered if that is allowed and needed.</summary>
    public SendLimit? Check(in PublishPacket packet, ushort ownAlias, out QoS qos) =>
        SendLimit.Check(_limits, _version, packet, settings.LowerQoS, out qos) ?? CheckAlias(ownAlias);

    /// <summary>The same for a message that is sent again: it stays as it is.</summary>
    public SendLimit? CheckAgain(in PublishPacket packet) => SendLimit.Check(_limits, _version, packet, lowerQoS: false, out _);

    /// <summary>Into the lane, with the application's alias, or with ours where one is worth it.</summary>
    public void Write(in PublishPacket packet, ushort ownAlias, long lsn, long committed)
    {
        // What was set aside may be what tells the server of an alias.
        if (lane.HasAside || (ownAlias == 0 && (_aliases is null || packet.Topic.Length < ShortestAliasedTopic)))
        {
            WriteInFull(packet, lsn, committed);
            return;
        }

        var known = false;
        var alias = ownAlias != 0 ? ownAlias : _aliases!.Find(packet.Topic, out known);
        var aliased = new PublishPacket
        {
            Topic = known ? default : packet.Topic,
            TopicAlias = alias,
            Properties = packet.Properties,
            Payload = packet.Payload,
            QoS = packet.QoS,
            Retain = packet.Retain,
            PacketId = packet.PacketId,
        };
        var size = PacketWriter.GetSize(aliased, _version);
        if (size < 0 || size > _limits.MaximumPacketSize)
        {
            // The three bytes of a new alias are those that do not fit.
            WriteInFull(packet, lsn, committed);
            return;
        }

        PacketWriter.Write(aliased, _version, lane.Reserve(size));
        lane.Commit(size, lsn, committed);
        Count(packet);
        if (!known)
        {
            _aliases?.Commit(alias, packet.Topic);
        }
    }

    /// <summary>Into the lane with its full topic and no alias: for what is sent again, perhaps on a connection that knows none yet.</summary>
    public void WriteInFull(in PublishPacket packet, long lsn, long committed)
    {
        var size = PacketWriter.GetSize(packet, _version);
        PacketWriter.Write(packet, _version, lane.Reserve(size));
        lane.Commit(size, lsn, committed);
        Count(packet);
    }

    private void Count(in PublishPacket packet)
    {
        counters.PacketsSent[(int)PacketType.Publish]++;
        counters.MessagesSent[(int)packet.QoS]++;
        counters.MessagesResent += packet.Duplicate ? 1 : 0;
    }

    private SendLimit? CheckAlias(ushort alias) => alias == 0 || _version < MqttVersion.Mqtt5 || alias <= _limits.TopicAliasMaximum
        ? null
        : new SendLimit(
            ReasonCode.TopicAliasInvalid,
            $"The server takes topic aliases up to {_limits.TopicAliasMaximum} and the message asks for {alias} (MQTT5-3.3.2-9); leave TopicAlias out and the client chooses.");
}
