using Nightjar.Protocol.Codec;
using Xunit;
using static Nightjar.Protocol.Codec.PropertyId;

namespace Nightjar.Protocol.Tests.Codec;

/// <summary>
/// Which property may stand in which packet, and how often: the table of 2.2.2.2 crossed with all packets. It is written down here once
/// more, by section, so that it does not repeat the decoder's mistakes.
/// </summary>
public sealed class PropertyTests
{
    // Each packet with a '*' for its properties, and each property that belongs there with the section that says how often.
    private static readonly Place[] Places =
    [
        new("CONNECT", PacketSender.Client, "10 { 'MQTT' 05 02 003C { * } 'a' }",
        [
            (SessionExpiryInterval, "3.1.2.11.2"), (ReceiveMaximum, "3.1.2.11.3"), (MaximumPacketSize, "3.1.2.11.4"),
            (TopicAliasMaximum, "3.1.2.11.5"), (RequestResponseInformation, "3.1.2.11.6"), (RequestProblemInformation, "3.1.2.11.7"),
            (AuthenticationMethod, "3.1.2.11.9"), (AuthenticationData, "3.1.2.11.10"),
        ]),
        new("the will", PacketSender.Client, "10 { 'MQTT' 05 06 003C { } 'a' { * } 't' '' }",
        [
            (WillDelayInterval, "3.1.3.2.2"), (PayloadFormatIndicator, "3.1.3.2.3"), (MessageExpiryInterval, "3.1.3.2.4"),
            (ContentType, "3.1.3.2.5"), (ResponseTopic, "3.1.3.2.6"), (CorrelationData, "3.1.3.2.7"),
        ]),
        new("CONNACK", PacketSender.Server, "20 { 00 00 { * } }",
        [
            (SessionExpiryInterval, "3.2.2.3.2"), (ReceiveMaximum, "3.2.2.3.3"), (MaximumQoS, "3.2.2.3.4"),
            (RetainAvailable, "3.2.2.3.5"), (MaximumPacketSize, "3.2.2.3.6"), (AssignedClientIdentifier, "3.2.2.3.7"),
            (TopicAliasMaximum, "3.2.2.3.8"), (ReasonString, "3.2.2.3.9"), (WildcardSubscriptionAvailable, "3.2.2.3.11"),
            (SubscriptionIdentifierAvailable, "3.2.2.3.12"), (SharedSubscriptionAvailable, "3.2.2.3.13"),
            (ServerKeepAlive, "3.2.2.3.14"), (ResponseInformation, "3.2.2.3.15"), (ServerReference, "3.2.2.3.16"),
            (AuthenticationMethod, "3.2.2.3.17"), (AuthenticationData, "3.2.2.3.18"),
        ]),
        new("a server's PUBLISH", PacketSender.Server, "30 { 't' { * } }",
        [
            (PayloadFormatIndicator, "3.3.2.3.2"), (MessageExpiryInterval, "3.3.2.3.3"), (TopicAlias, "3.3.2.3.4"),
            (ResponseTopic, "3.3.2.3.5"), (CorrelationData, "3.3.2.3.6"), (SubscriptionIdentifier, ""), (ContentType, "3.3.2.3.9"),
        ]),
        new("a client's PUBLISH", PacketSender.Client, "32 { 't' 0001 { * } }",
        [
            (PayloadFormatIndicator, "3.3.2.3.2"), (MessageExpiryInterval, "3.3.2.3.3"), (TopicAlias, "3.3.2.3.4"),
            (ResponseTopic, "3.3.2.3.5"), (CorrelationData, "3.3.2.3.6"), (ContentType, "3.3.2.3.9"),
        ]),
        new("PUBACK", PacketSender.Server, "40 { 0001 00 { * } }", [(ReasonString, "3.4.2.2.2")]),
        new("PUBREC", PacketSender.Server, "50 { 0001 00 { * } }", [(ReasonString, "3.5.2.2.2")]),
        new("PUBREL", PacketSender.Server, "62 { 0001 00 { * } }", [(ReasonString, "3.6.2.2.2")]),
        new("PUBCOMP", PacketSender.Server, "70 { 0001 00 { * } }", [(ReasonString, "3.7.2.2.2")]),
        new("SUBSCRIBE", PacketSender.Client, "82 { 0001 { * } 'a' 00 }", [(SubscriptionIdentifier, "3.8.2.1.2")]),
        new("SUBACK", PacketSender.Server, "90 { 0001 { * } 00 }", [(ReasonString, "3.9.2.1.2")]),
        new("UNSUBSCRIBE", PacketSender.Client, "A2 { 0001 { * } 'a' }", []),
        new("UNSUBACK", PacketSender.Server, "B0 { 0001 { * } 00 }", [(ReasonString, "3.11.2.1.2")]),
        new("a server's DISCONNECT", PacketSender.Server, "E0 { 00 { * } }",
            [(ReasonString, "3.14.2.2.3"), (ServerReference, "3.14.2.2.5")]),
        new("a client's DISCONNECT", PacketSender.Client, "E0 { 00 { * } }",
            [(SessionExpiryInterval, "3.14.2.2.2"), (ReasonString, "3.14.2.2.3")]),
        new("AUTH", PacketSender.Server, "F0 { 18 { * } }",
        [
            (AuthenticationMethod, "3.15.2.2.2"), (AuthenticationData, "3.15.2.2.3"), (ReasonString, "3.15.2.2.4"),
        ]),
    ];

    // Legal on paper, and forbidden to this end by a statement of its own.
    private static readonly (string Place, PropertyId Id)[] OtherEnds =
    [
        ("a client's PUBLISH", SubscriptionIdentifier),
        ("a server's DISCONNECT", SessionExpiryInterval),
        ("a client's DISCONNECT", ServerReference),
    ];

    public static IEnumerable<TheoryDataRow<int, PropertyId>> Legal =>
        Rows((place, id) => place.Has(id), (place, id) => $"{id} may stand in {place.Name}");

    public static IEnumerable<TheoryDataRow<int, PropertyId>> Illegal => Rows(
        (place, id) => !place.Has(id) && !OtherEnds.Contains((place.Name, id)),
        (place, id) => $"[MQTT5-2.2.2.2] {id} has no place in {place.Name}");

    public static IEnumerable<TheoryDataRow<int, PropertyId>> Single => Rows(
        (place, id) => place.Has(id) && place.SectionOf(id) != "",
        (place, id) => $"[MQTT5-{place.SectionOf(id)}] {id} comes once in {place.Name}");

    public static IEnumerable<TheoryDataRow<int, PropertyId>> Ranged => Rows(
        (place, id) => place.Has(id) && place.SectionOf(id) != "" && OutOfRange(id) != "" && id != TopicAlias,
        (place, id) => $"[MQTT5-{place.SectionOf(id)}] {id} keeps its range in {place.Name}");

    public static IEnumerable<TheoryDataRow<int, PropertyId>> Repeatable => Rows(
        (place, id) => id == PropertyId.UserProperty || (place.Has(id) && place.SectionOf(id) == ""),
        (place, id) => $"{id} may come more than once in {place.Name}");

    [Theory]
    [MemberData(nameof(Legal))]
    public void A_property_may_stand_where_it_belongs(int place, PropertyId id) => Assert.Equal("fine", Judge(place, id, Example(id)));

    [Theory]
    [MemberData(nameof(Illegal))]
    public void A_property_may_not_stand_elsewhere(int place, PropertyId id) =>
        Assert.Equal("MQTT5-2.2.2.2", Judge(place, id, Example(id)));

    [Theory]
    [MemberData(nameof(Single))]
    public void A_single_property_comes_once(int place, PropertyId id) =>
        Assert.Equal($"MQTT5-{Places[place].SectionOf(id)}", Judge(place, id, $"{Example(id)} {Example(id)}"));

    [Theory]
    [MemberData(nameof(Ranged))]
    public void A_number_keeps_its_range(int place, PropertyId id) =>
        Assert.Equal($"MQTT5-{Places[place].SectionOf(id)}", Judge(place, id, OutOfRange(id)));

    [Theory]
    [MemberData(nameof(Repeatable))]
    public void Some_properties_may_come_more_than_once(int place, PropertyId id) =>
        Assert.Equal("fine", Judge(place, id, $"{Example(id)} {Example(id)} {Example(id)}"));

    [Fact(DisplayName = "[MQTT5-3.3.2.3.8] A subscription identifier is not 0")]
    public void A_subscription_identifier_is_not_0()
    {
        var publish = Array.FindIndex(Places, place => place.Name == "a server's PUBLISH");

        Assert.Equal("MQTT5-3.3.2.3.8", Judge(publish, SubscriptionIdentifier, "0B 00"));
    }

    private static string Judge(int place, PropertyId id, string properties)
    {
        // Data need a method beside them, and so does all of AUTH.
        var needsMethod = (id == AuthenticationData || Places[place].Name == "AUTH") && id != AuthenticationMethod;
        var section = needsMethod && Places[place].Has(AuthenticationMethod) ? $"{properties} {Example(AuthenticationMethod)}" : properties;
        var bytes = Wire.Bytes(Places[place].Notation.Replace("*", section, StringComparison.Ordinal));
        var decoder = new PacketDecoder(Places[place].Sender, MqttVersion.Mqtt5);
        var status = decoder.Decode(bytes, bufferFull: false, out _, out _);
        return status == DecodeStatus.Packet ? "fine" : decoder.Violation.Clause;
    }

    private static string Example(PropertyId id) => $"{(byte)id:X2}" + id switch
    {
        PayloadFormatIndicator or RequestProblemInformation or RequestResponseInformation or MaximumQoS or RetainAvailable
            or WildcardSubscriptionAvailable or SubscriptionIdentifierAvailable or SharedSubscriptionAvailable => "01",
        ServerKeepAlive or ReceiveMaximum or TopicAliasMaximum or TopicAlias => "0001",
        MessageExpiryInterval or SessionExpiryInterval or WillDelayInterval or MaximumPacketSize => "00000001",
        SubscriptionIdentifier => "01",
        PropertyId.UserProperty => "'k' 'v'",
        _ => "'x'",
    };

    // The value next to the range; empty if all values are legal.
    private static string OutOfRange(PropertyId id) => id switch
    {
        ReceiveMaximum or TopicAlias => $"{(byte)id:X2} 0000",
        MaximumPacketSize => $"{(byte)id:X2} 00000000",
        SubscriptionIdentifier => $"{(byte)id:X2} 00",
        _ => Example(id).EndsWith("01", StringComparison.Ordinal) && Example(id).Length == 4 ? $"{(byte)id:X2} 02" : "",
    };

    private static IEnumerable<TheoryDataRow<int, PropertyId>> Rows(
        Func<Place, PropertyId, bool> where, Func<Place, PropertyId, string> name) =>
        from place in Enumerable.Range(0, Places.Length)
        from id in Enum.GetValues<PropertyId>()
        where @where(Places[place], id)
        select new TheoryDataRow<int, PropertyId>(place, id) { TestDisplayName = name(Places[place], id) };

    private sealed record Place(string Name, PacketSender Sender, string Notation, (PropertyId Id, string Section)[] Ids)
    {
        public bool Has(PropertyId id) => id == PropertyId.UserProperty || Ids.Any(entry => entry.Id == id);

        /// <summary>Empty if it may come more than once.</summary>
        public string SectionOf(PropertyId id) => id == PropertyId.UserProperty ? "" : Ids.First(entry => entry.Id == id).Section;
    }
}
