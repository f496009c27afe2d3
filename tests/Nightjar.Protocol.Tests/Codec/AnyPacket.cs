using System.Buffers;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Tests.Codec;

/// <summary>Any legal packet of a version and a sender: only with what that version can say, so that it comes back as it was.</summary>
internal static class AnyPacket
{
    private static readonly PacketType[] FromBoth =
        [PacketType.Publish, PacketType.PubAck, PacketType.PubRec, PacketType.PubRel, PacketType.PubComp];

    public static object From(Choices choices, PacketSender sender, MqttVersion version)
    {
        var five = version == MqttVersion.Mqtt5;
        PacketType[] own = sender == PacketSender.Client
            ? [PacketType.Connect, PacketType.Subscribe, PacketType.Unsubscribe, PacketType.PingReq, PacketType.Disconnect]
            : [PacketType.ConnAck, PacketType.SubAck, PacketType.UnsubAck, PacketType.PingResp];
        PacketType[] rest = !five ? [] : sender == PacketSender.Server ? [PacketType.Disconnect, PacketType.Auth] : [PacketType.Auth];
        var type = choices.Of<PacketType>([.. FromBoth, .. own, .. rest]);
        return type switch
        {
            PacketType.Connect => AnyConnect.From(choices, version),
            PacketType.ConnAck when five => AnyConnAck.From(choices),
            PacketType.ConnAck => AnyConnAck.Older(choices, version),
            PacketType.Publish => Publish(choices, sender, five),
            PacketType.Subscribe => Subscribe(choices, five),
            PacketType.SubAck => SubAck(choices, five),
            PacketType.Unsubscribe => Unsubscribe(choices, five),
            PacketType.UnsubAck => UnsubAck(choices, five),
            PacketType.PingReq => default(PingReqPacket),
            PacketType.PingResp => default(PingRespPacket),
            PacketType.Disconnect => five ? Disconnect(choices, sender) : new DisconnectPacket(),
            PacketType.Auth => Auth(choices, sender),
            _ => Ack(choices, type, sender, five),
        };
    }

    /// <summary>Any reason code that may stand there.</summary>
    public static ReasonCode Code(Choices choices, PacketType type, PacketSender sender)
    {
        var legal = Enumerable.Range(0, 256).Select(code => (ReasonCode)code).Where(code => ReasonCodeTable.IsLegal(code, type, sender));
        return choices.Of<ReasonCode>([.. legal]);
    }

    private static ushort Id(Choices choices) => Math.Max(choices.TwoBytes(), (ushort)1);

    private static Message Publish(Choices choices, PacketSender sender, bool five)
    {
        var qos = choices.Of(QoS.AtMostOnce, QoS.AtLeastOnce, QoS.ExactlyOnce);
        var section = five ? Properties(choices, sender, out var alias) : Nothing(out alias);
        return new()
        {
            QoS = qos,
            Retain = choices.Flag(),
            Duplicate = qos != QoS.AtMostOnce && choices.Flag(),
            PacketId = qos == QoS.AtMostOnce ? (ushort)0 : Id(choices),
            Topic = alias != 0 && choices.Flag() ? "" : choices.Topic(),
            TopicAlias = alias,
            Properties = section,
            Payload = choices.Data(),
        };
    }

    private static byte[] Nothing(out ushort alias)
    {
        alias = 0;
        return [];
    }

    private static byte[] Properties(Choices choices, PacketSender sender, out ushort alias)
    {
        var output = new ArrayBufferWriter<byte>();
        var writer = new PropertyWriter(output);
        alias = choices.Flag() ? Id(choices) : (ushort)0;
        if (alias != 0)
        {
            writer.Write(PropertyId.TopicAlias, alias);
        }

        for (var count = sender == PacketSender.Server ? choices.Below(3) : 0; count > 0; count--)
        {
            writer.Write(PropertyId.SubscriptionIdentifier, Math.Max(choices.FourBytes() >> choices.Of(4, 11, 18, 25), 1));
        }

        if (choices.Flag())
        {
            writer.Write(PropertyId.PayloadFormatIndicator, choices.Flag() ? 1u : 0u);
            writer.Write(PropertyId.ContentType, choices.Text());
            writer.Write(PropertyId.MessageExpiryInterval, choices.FourBytes());
        }

        if (choices.Flag())
        {
            writer.Write(PropertyId.ResponseTopic, choices.Topic());
            writer.Write(PropertyId.CorrelationData, choices.Data());
        }

        foreach (var property in choices.UserProperties())
        {
            writer.Write(property);
        }

        return output.WrittenSpan.ToArray();
    }

    private static AckPacket Ack(Choices choices, PacketType type, PacketSender sender, bool five)
    {
        var id = Id(choices);
        if (!five || choices.Flag())
        {
            return new(type, id);
        }

        var properties = choices.UserProperties();
        return new(type, id, Code(choices, type, sender))
        {
            ReasonString = choices.PerhapsText(),
            UserProperties = properties.Length > 0 ? properties : null,
        };
    }

    private static SubscribePacket Subscribe(Choices choices, bool five)
    {
        var id = Id(choices);
        RequestedSubscription[] subscriptions = [.. Enumerable.Range(0, 1 + choices.Below(3)).Select(_ => Subscription(choices, five))];
        return !five ? new() { PacketId = id, Subscriptions = subscriptions } : new()
        {
            PacketId = id,
            Subscriptions = subscriptions,
            SubscriptionIdentifier = choices.Perhaps(() => Math.Max(choices.FourBytes() >> 4, 1)),
            UserProperties = choices.UserProperties(),
        };
    }

    private static RequestedSubscription Subscription(Choices choices, bool five)
    {
        var filter = choices.Filter();
        var plain = new RequestedSubscription(filter, choices.Of(QoS.AtMostOnce, QoS.AtLeastOnce, QoS.ExactlyOnce));
        return !five ? plain : plain with
        {
            NoLocal = !filter.StartsWith('$') && choices.Flag(),
            RetainAsPublished = choices.Flag(),
            RetainHandling = choices.Of(RetainHandling.SendAtSubscribe, RetainHandling.SendAtSubscribeIfNew, RetainHandling.DoNotSend),
        };
    }

    private static SubAckPacket SubAck(Choices choices, bool five)
    {
        var id = Id(choices);
        ReasonCode[] codes =
        [
            .. Enumerable.Range(0, 1 + choices.Below(3)).Select(_ => five
                ? Code(choices, PacketType.SubAck, PacketSender.Server)
                : choices.Of(ReasonCode.Success, ReasonCode.GrantedQoS1, ReasonCode.GrantedQoS2, ReasonCode.UnspecifiedError)),
        ];
        return !five ? new() { PacketId = id, ReasonCodes = codes } : new()
        {
            PacketId = id,
            ReasonCodes = codes,
            ReasonString = choices.PerhapsText(),
            UserProperties = choices.UserProperties(),
        };
    }

    private static UnsubscribePacket Unsubscribe(Choices choices, bool five) => new()
    {
        PacketId = Id(choices),
        Filters = [.. Enumerable.Range(0, 1 + choices.Below(3)).Select(_ => choices.Filter())],
        UserProperties = five ? choices.UserProperties() : [],
    };

    private static UnsubAckPacket UnsubAck(Choices choices, bool five) => !five ? new() { PacketId = Id(choices) } : new()
    {
        PacketId = Id(choices),
        ReasonCodes = [.. Enumerable.Range(0, 1 + choices.Below(3)).Select(_ => Code(choices, PacketType.UnsubAck, PacketSender.Server))],
        ReasonString = choices.PerhapsText(),
        UserProperties = choices.UserProperties(),
    };

    private static DisconnectPacket Disconnect(Choices choices, PacketSender sender) => new()
    {
        ReasonCode = Code(choices, PacketType.Disconnect, sender),
        SessionExpiryInterval = sender == PacketSender.Client ? choices.Perhaps(choices.FourBytes) : null,
        ReasonString = choices.PerhapsText(),
        ServerReference = sender == PacketSender.Server ? choices.PerhapsText() : null,
        UserProperties = choices.UserProperties(),
    };

    private static AuthPacket Auth(Choices choices, PacketSender sender) => new()
    {
        ReasonCode = Code(choices, PacketType.Auth, sender),
        AuthenticationMethod = choices.Text(),
        AuthenticationData = choices.Flag() ? new ReadOnlyMemory<byte>?(choices.Data()) : null,
        ReasonString = choices.PerhapsText(),
        UserProperties = choices.UserProperties(),
    };
}
