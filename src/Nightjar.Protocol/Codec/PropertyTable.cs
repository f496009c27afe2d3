using Nightjar.Protocol.Packets;
using static Nightjar.Protocol.Codec.PropertyId;

namespace Nightjar.Protocol.Codec;

/// <summary>The forms that a property's value takes (MQTT 5, 2.2.2.2).</summary>
internal enum PropertyForm : byte
{
    /// <summary>There is no such property.</summary>
    None,

    /// <summary>0 or 1: the specification has no property with another byte.</summary>
    Flag,
    TwoBytes,
    FourBytes,
    VariableByteInteger,
    Text,
    Binary,
    TextPair,
}

/// <summary>
/// All that the specification says about properties: their form, the packets that they belong to, how often they may come, and the
/// section that says so. The properties of a will go by <see cref="PacketType.None"/>.
/// </summary>
internal static class PropertyTable
{
    public const PacketType Will = PacketType.None;

    // The bare name is that of the type.
    private const PropertyId User = PropertyId.UserProperty;

    // SECTION.1 is the property length.
    private const int FirstSubsection = 2;

    // By packet: the section that describes the properties, and these in its order.
    private static readonly (string Section, PropertyId[] Ids)[] Packets = new (string, PropertyId[])[16];

    private static readonly PropertyForm[] Forms = new PropertyForm[1 << 8];

    // By packet, one bit per identifier: all of them are below 64.
    private static readonly ulong[] Legal = new ulong[16];

    static PropertyTable()
    {
        Packets[(int)Will] = ("3.1.3.2",
            [WillDelayInterval, PayloadFormatIndicator, MessageExpiryInterval, ContentType, ResponseTopic, CorrelationData, User]);
        Packets[(int)PacketType.Connect] = ("3.1.2.11",
            [SessionExpiryInterval, ReceiveMaximum, MaximumPacketSize, TopicAliasMaximum, RequestResponseInformation,
            RequestProblemInformation, User, AuthenticationMethod, AuthenticationData]);
        Packets[(int)PacketType.ConnAck] = ("3.2.2.3",
            [SessionExpiryInterval, ReceiveMaximum, MaximumQoS, RetainAvailable, MaximumPacketSize, AssignedClientIdentifier,
            TopicAliasMaximum, ReasonString, User, WildcardSubscriptionAvailable, SubscriptionIdentifierAvailable,
            SharedSubscriptionAvailable, ServerKeepAlive, ResponseInformation, ServerReference, AuthenticationMethod, AuthenticationData]);
        Packets[(int)PacketType.Publish] = ("3.3.2.3",
            [PayloadFormatIndicator, MessageExpiryInterval, TopicAlias, ResponseTopic, CorrelationData, User,
            SubscriptionIdentifier, ContentType]);
        Packets[(int)PacketType.PubAck] = ("3.4.2.2", [ReasonString, User]);
        Packets[(int)PacketType.PubRec] = ("3.5.2.2", [ReasonString, User]);
        Packets[(int)PacketType.PubRel] = ("3.6.2.2", [ReasonString, User]);
        Packets[(int)PacketType.PubComp] = ("3.7.2.2", [ReasonString, User]);
        Packets[(int)PacketType.Subscribe] = ("3.8.2.1", [SubscriptionIdentifier, User]);
        Packets[(int)PacketType.SubAck] = ("3.9.2.1", [ReasonString, User]);
        Packets[(int)PacketType.Unsubscribe] = ("3.10.2.1", [User]);
        Packets[(int)PacketType.UnsubAck] = ("3.11.2.1", [ReasonString, User]);
        Packets[(int)PacketType.PingReq] = ("2.2.2", []);
        Packets[(int)PacketType.PingResp] = ("2.2.2", []);
        Packets[(int)PacketType.Disconnect] = ("3.14.2.2", [SessionExpiryInterval, ReasonString, User, ServerReference]);
        Packets[(int)PacketType.Auth] = ("3.15.2.2", [AuthenticationMethod, AuthenticationData, ReasonString, User]);

        for (int type = 0; type < Packets.Length; type++)
        {
            foreach (PropertyId id in Packets[type].Ids)
            {
                Legal[type] |= 1UL << (int)id;
            }
        }

        SetForm(PropertyForm.Flag, PayloadFormatIndicator, RequestProblemInformation, RequestResponseInformation, MaximumQoS,
            RetainAvailable, WildcardSubscriptionAvailable, SubscriptionIdentifierAvailable, SharedSubscriptionAvailable);
        SetForm(PropertyForm.TwoBytes, ServerKeepAlive, ReceiveMaximum, TopicAliasMaximum, TopicAlias);
        SetForm(PropertyForm.FourBytes, MessageExpiryInterval, SessionExpiryInterval, WillDelayInterval, MaximumPacketSize);
        SetForm(PropertyForm.VariableByteInteger, SubscriptionIdentifier);
        SetForm(PropertyForm.Text, ContentType, ResponseTopic, AssignedClientIdentifier, AuthenticationMethod, ResponseInformation,
            ServerReference, ReasonString);
        SetForm(PropertyForm.Binary, CorrelationData, AuthenticationData);
        SetForm(PropertyForm.TextPair, User);
    }

    public static PropertyForm FormOf(PropertyId id) => Forms[(byte)id];

    /// <summary>One bit per identifier that may stand in the packet.</summary>
    public static ulong LegalIn(PacketType packet) => Legal[(int)packet];

    /// <summary>One bit per identifier that may stand there more than once.</summary>
    public static ulong RepeatableIn(PacketType packet) =>
        packet == PacketType.Publish ? (1UL << (int)User) | (1UL << (int)SubscriptionIdentifier) : 1UL << (int)User;

    /// <summary>Whether 0 is no value of this property.</summary>
    public static bool IsNonZero(PropertyId id) => id is ReceiveMaximum or MaximumPacketSize or TopicAlias or SubscriptionIdentifier;

    /// <summary>The largest value of a number.</summary>
    public static uint MaximumOf(PropertyForm form) => form switch
    {
        PropertyForm.Flag => 1,
        PropertyForm.TwoBytes => ushort.MaxValue,
        PropertyForm.FourBytes => uint.MaxValue,
        PropertyForm.VariableByteInteger => Codec.VariableByteInteger.Maximum,
        _ => 0,
    };

    public static Rule Repeated(PropertyId id, PacketType packet) =>
        new(ReasonCode.ProtocolError, SectionOf(id, packet), $"{id} comes more than once.");

    public static Rule OutOfRange(PropertyId id, PacketType packet) =>
        id == TopicAlias
            ? Rules.TopicAliasZero
            : new(ReasonCode.ProtocolError, SectionOf(id, packet), $"{id} is out of its range.");

    private static string SectionOf(PropertyId id, PacketType packet)
    {
        (string section, PropertyId[] ids) = Packets[(int)packet];
        int subsection = Array.IndexOf(ids, id) + FirstSubsection;
        return $"MQTT5-{section}.{subsection}";
    }

    private static void SetForm(PropertyForm form, params ReadOnlySpan<PropertyId> ids)
    {
        foreach (PropertyId id in ids)
        {
            Forms[(byte)id] = form;
        }
    }
}
