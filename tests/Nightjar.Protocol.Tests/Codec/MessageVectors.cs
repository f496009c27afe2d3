using System.Text;
using Nightjar.Protocol.Packets;
using static Nightjar.Protocol.Tests.Codec.Vector;

namespace Nightjar.Protocol.Tests.Codec;

/// <summary>PUBLISH and its acknowledgements, SUBSCRIBE, UNSUBSCRIBE and their answers.</summary>
internal static class MessageVectors
{
    // 300 bytes: more than one length byte can say.
    private static readonly string LongText = new('x', 300);

    public static readonly Vector[] Table =
    [
        // PUBLISH
        new("PUBLISH at QoS 0", Both, V3, "30 07 0003 742F31 6869", new Message { Topic = "t/1", Payload = Utf8("hi") }),
        new("PUBLISH at QoS 0", Both, V5, "30 08 0003 742F31 00 6869", new Message { Topic = "t/1", Payload = Utf8("hi") }),
        new("PUBLISH at QoS 1, all flags", Both, V3, "3B 09 0003 742F31 1234 6869",
            new Message { Topic = "t/1", Payload = Utf8("hi"), QoS = QoS.AtLeastOnce, PacketId = 0x1234, Retain = true, Duplicate = true }),
        new("PUBLISH at QoS 1, all flags", Both, V5, "3B 0A 0003 742F31 1234 00 6869",
            new Message { Topic = "t/1", Payload = Utf8("hi"), QoS = QoS.AtLeastOnce, PacketId = 0x1234, Retain = true, Duplicate = true }),
        new("PUBLISH at QoS 2", Both, V3, "34 { 't' FFFF }", new Message { Topic = "t", QoS = QoS.ExactlyOnce, PacketId = 65535 }),
        new("PUBLISH at QoS 2", Both, V5, "34 { 't' FFFF { } }", new Message { Topic = "t", QoS = QoS.ExactlyOnce, PacketId = 65535 }),
        new("PUBLISH retained, with an empty payload", Both, V3, "31 { 'a/b' }", new Message { Topic = "a/b", Retain = true }),
        new("PUBLISH whose topic is not ASCII", Both, V3, "30 { 'größe/🦉' }", new Message { Topic = "größe/🦉" }),
        new("PUBLISH whose topic begins with a byte order mark", Both, V3, "30 { '\uFEFFt' }", new Message { Topic = "\uFEFFt" }),
        new("PUBLISH with two length bytes", Both, V3, $"30 {{ 't' ={LongText}= }}", new Message { Topic = "t", Payload = Utf8(LongText) }),
        new("PUBLISH with a padded length", Both, V3, "30 83 80 80 00 't'", new Message { Topic = "t" }) { ReadOnly = true },
        new("PUBLISH with a topic alias that stands for the topic", Both, V5, "30 { '' { 23 0001 } =x= }",
            new Message { TopicAlias = 1, Properties = Wire.Bytes("23 0001"), Payload = Utf8("x") }),
        new("PUBLISH from a client with everything", Client, V5,
            "32 { 't' 0001 { 01 01 02 00000001 23 0005 08 'r' 09 0001 FF 26 'k' 'v' 26 'k' 'v' 03 'ct' } =x= }",
            new Message
            {
                QoS = QoS.AtLeastOnce,
                Topic = "t",
                PacketId = 1,
                TopicAlias = 5,
                Properties = Wire.Bytes("01 01 02 00000001 23 0005 08 'r' 09 0001 FF 26 'k' 'v' 26 'k' 'v' 03 'ct'"),
                Payload = Utf8("x"),
            }),
        new("PUBLISH with two subscription identifiers and two length bytes of properties", Server, V5,
            $"30 {{ 't' {{ 0B 01 0B FFFFFF7F 26 'k' '{LongText}' }} =x= }}",
            new Message { Topic = "t", Properties = Wire.Bytes($"0B 01 0B FFFFFF7F 26 'k' '{LongText}'"), Payload = Utf8("x") }),

        // PUBACK, PUBREC, PUBREL and PUBCOMP
        new("PUBACK", Both, All, "40 02 1234", new AckPacket(PacketType.PubAck, 0x1234)),
        new("PUBREC", Both, All, "50 02 FFFF", new AckPacket(PacketType.PubRec, 65535)),
        new("PUBREL", Both, All, "62 02 0001", new AckPacket(PacketType.PubRel, 1)),
        new("PUBCOMP", Both, All, "70 02 0001", new AckPacket(PacketType.PubComp, 1)),
        new("PUBREL that is repeated", Both, V31, "6A 02 0001", new AckPacket(PacketType.PubRel, 1)) { ReadOnly = true },
        new("PUBACK with a reason code", Server, V5, "40 03 1234 10",
            new AckPacket(PacketType.PubAck, 0x1234, ReasonCode.NoMatchingSubscribers)),
        new("PUBREC with a reason code", Both, V5, "50 03 1234 97", new AckPacket(PacketType.PubRec, 0x1234, ReasonCode.QuotaExceeded)),
        new("PUBREL with a reason code", Both, V5, "62 03 1234 92",
            new AckPacket(PacketType.PubRel, 0x1234, ReasonCode.PacketIdentifierNotFound)),
        new("PUBCOMP with a reason code", Both, V5, "70 03 1234 92",
            new AckPacket(PacketType.PubComp, 0x1234, ReasonCode.PacketIdentifierNotFound)),
        new("PUBACK with everything", Both, V5, "40 { 1234 80 { 1F 'no' 26 'k' 'v' 26 '' '' } }",
            new AckPacket(PacketType.PubAck, 0x1234, ReasonCode.UnspecifiedError)
            {
                ReasonString = "no",
                UserProperties = [new("k", "v"), new("", "")],
            }),
        new("PUBCOMP with a reason string", Both, V5, "70 { 0001 00 { 1F '' } }",
            new AckPacket(PacketType.PubComp, 1) { ReasonString = "" }),
        new("PUBREC that leaves out the property length", Both, V5, "50 03 0001 00",
            new AckPacket(PacketType.PubRec, 1)) { ReadOnly = true },
        new("PUBREL that leaves nothing out", Both, V5, "62 04 0001 00 00", new AckPacket(PacketType.PubRel, 1)) { ReadOnly = true },

        // SUBSCRIBE and SUBACK
        new("SUBSCRIBE to two filters", Client, V3, "82 { 0001 'a/+' 01 '#' 02 }",
            new SubscribePacket { PacketId = 1, Subscriptions = [new("a/+", QoS.AtLeastOnce), new("#", QoS.ExactlyOnce)] }),
        new("SUBSCRIBE to what 3.1.1 does not know as shared", Client, V3, "82 { 0001 '$share/' 00 }",
            new SubscribePacket { PacketId = 1, Subscriptions = [new("$share/", QoS.AtMostOnce)] }),
        new("SUBSCRIBE that is repeated", Client, V31, "8A { 0001 'a' 00 }",
            new SubscribePacket { PacketId = 1, Subscriptions = [new("a", QoS.AtMostOnce)] }) { ReadOnly = true },
        new("SUBSCRIBE without properties", Client, V5, "82 { 0001 { } 'a//+' 00 }",
            new SubscribePacket { PacketId = 1, Subscriptions = [new("a//+", QoS.AtMostOnce)] }),
        new("SUBSCRIBE with everything", Client, V5, "82 { FFFE { 0B 8001 26 'k' 'v' } 'a' 2E '$share/g/b/#' 1A }",
            new SubscribePacket
            {
                PacketId = 65534,
                Subscriptions =
                [
                    new("a", QoS.ExactlyOnce) { NoLocal = true, RetainAsPublished = true, RetainHandling = RetainHandling.DoNotSend },
                    new("$share/g/b/#", QoS.ExactlyOnce) { RetainAsPublished = true, RetainHandling = RetainHandling.SendAtSubscribeIfNew },
                ],
                SubscriptionIdentifier = 128,
                UserProperties = [new("k", "v")],
            }),
        new("SUBACK", Server, V3, "90 { 0001 00 01 02 80 }",
            new SubAckPacket
            {
                PacketId = 1,
                ReasonCodes = [ReasonCode.Success, ReasonCode.GrantedQoS1, ReasonCode.GrantedQoS2, ReasonCode.UnspecifiedError],
            }),
        new("SUBACK", Server, V5, "90 { 0001 { 1F 'so' 26 'k' 'v' } 02 87 }",
            new SubAckPacket
            {
                PacketId = 1,
                ReasonCodes = [ReasonCode.GrantedQoS2, ReasonCode.NotAuthorized],
                ReasonString = "so",
                UserProperties = [new("k", "v")],
            }),

        // UNSUBSCRIBE and UNSUBACK
        new("UNSUBSCRIBE", Client, V3, "A2 { 0001 'a/+' '#' }", new UnsubscribePacket { PacketId = 1, Filters = ["a/+", "#"] }),
        new("UNSUBSCRIBE", Client, V5, "A2 { 0001 { 26 'k' 'v' } '$share/g/b' }",
            new UnsubscribePacket { PacketId = 1, Filters = ["$share/g/b"], UserProperties = [new("k", "v")] }),
        new("UNSUBSCRIBE that is repeated", Client, V31, "AA { 0001 'a' }",
            new UnsubscribePacket { PacketId = 1, Filters = ["a"] }) { ReadOnly = true },
        new("UNSUBACK", Server, V3, "B0 02 0001", new UnsubAckPacket { PacketId = 1 }),
        new("UNSUBACK", Server, V5, "B0 { 0001 { 1F 'so' 26 'k' 'v' } 00 11 }",
            new UnsubAckPacket
            {
                PacketId = 1,
                ReasonCodes = [ReasonCode.Success, ReasonCode.NoSubscriptionExisted],
                ReasonString = "so",
                UserProperties = [new("k", "v")],
            }),
    ];

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
