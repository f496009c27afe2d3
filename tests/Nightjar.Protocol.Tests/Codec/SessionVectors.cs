using System.Text;
using Nightjar.Protocol.Packets;
using static Nightjar.Protocol.Tests.Codec.Vector;

namespace Nightjar.Protocol.Tests.Codec;

/// <summary>CONNECT, CONNACK, PINGREQ, PINGRESP, DISCONNECT and AUTH.</summary>
internal static class SessionVectors
{
    public static readonly Vector[] Table =
    [
        // CONNECT
        new("CONNECT, the least", Client, V5, "10 10 0004 4D515454 05 02 003C 00 0003 616263",
            new ConnectPacket { CleanStart = true, KeepAlive = 60, ClientId = "abc" }),
        new("CONNECT, the least", Client, V311, "10 0F 0004 4D515454 04 02 003C 0003 616263",
            new ConnectPacket { Version = MqttVersion.Mqtt311, CleanStart = true, KeepAlive = 60, ClientId = "abc" }),
        new("CONNECT, the least", Client, V31, "10 11 0006 4D5149736470 03 02 003C 0003 616263",
            new ConnectPacket { Version = MqttVersion.Mqtt31, CleanStart = true, KeepAlive = 60, ClientId = "abc" }),
        new("CONNECT without a client identifier", Client, V5, "10 { 'MQTT' 05 00 0000 { } '' }", new ConnectPacket()),
        new("CONNECT without a client identifier", Client, V311, "10 { 'MQTT' 04 02 0000 '' }",
            new ConnectPacket { Version = MqttVersion.Mqtt311, CleanStart = true }),
        new("CONNECT with an empty will, user name and password", Client, V5, "10 { 'MQTT' 05 C4 0000 { } 'a' { } 't' 0000 '' 0000 }",
            new ConnectPacket { ClientId = "a", UserName = "", Password = Array.Empty<byte>(), Will = new() { Topic = "t" } }),
        new("CONNECT with a password and no user name", Client, V5, "10 { 'MQTT' 05 42 0000 { } 'a' 0001 FF }",
            new ConnectPacket { CleanStart = true, ClientId = "a", Password = new byte[] { 0xFF } }),
        new("CONNECT with everything", Client, V5,
            "10 { 'MQTT' 05 F6 003C { 11 00000E10 21 0014 27 00010000 22 000A 19 01 17 00 15 'SCRAM' 16 0003 010203 26 'a' 'b' 26 'a' '' }"
            + "'cid' { 18 0000003C 01 01 02 FFFFFFFF 03 'text' 08 're/ply' 09 0002 CAFE 26 'w' 'ü' } 'will/töpic' 0004 =gone= 'user' 0002 =pw= }",
            new ConnectPacket
            {
                CleanStart = true,
                KeepAlive = 60,
                ClientId = "cid",
                UserName = "user",
                Password = Encoding.UTF8.GetBytes("pw"),
                SessionExpiryInterval = 3600,
                ReceiveMaximum = 20,
                MaximumPacketSize = 65536,
                TopicAliasMaximum = 10,
                RequestResponseInformation = true,
                RequestProblemInformation = false,
                AuthenticationMethod = "SCRAM",
                AuthenticationData = new byte[] { 1, 2, 3 },
                UserProperties = [new("a", "b"), new("a", "")],
                Will = new()
                {
                    Topic = "will/töpic",
                    Payload = Encoding.UTF8.GetBytes("gone"),
                    QoS = QoS.ExactlyOnce,
                    Retain = true,
                    DelayInterval = 60,
                    PayloadFormat = PayloadFormat.Utf8,
                    MessageExpiryInterval = uint.MaxValue,
                    ContentType = "text",
                    ResponseTopic = "re/ply",
                    CorrelationData = new byte[] { 0xCA, 0xFE },
                    UserProperties = [new("w", "ü")],
                },
            }),
        new("CONNECT with everything", Client, V311, "10 { 'MQTT' 04 EC 000A 'cid' 'w/t' 0001 00 'user' 0002 =pw= }",
            Older(MqttVersion.Mqtt311)),
        new("CONNECT with everything", Client, V31, "10 { 'MQIsdp' 03 EC 000A 'cid' 'w/t' 0001 00 'user' 0002 =pw= }",
            Older(MqttVersion.Mqtt31)),
        new("CONNECT whose length overrules its user name and password", Client, V31, "10 { 'MQIsdp' 03 C2 003C 'abc' }",
            new ConnectPacket { Version = MqttVersion.Mqtt31, CleanStart = true, KeepAlive = 60, ClientId = "abc" }) { ReadOnly = true },
        new("CONNECT with a reserved flag", Client, V31, "10 { 'MQIsdp' 03 03 003C 'abc' }",
            new ConnectPacket { Version = MqttVersion.Mqtt31, CleanStart = true, KeepAlive = 60, ClientId = "abc" }) { ReadOnly = true },
        new("CONNECT with a padded length", Client, V311, "10 8F 80 00 'MQTT' 04 02 003C 'abc'",
            new ConnectPacket { Version = MqttVersion.Mqtt311, CleanStart = true, KeepAlive = 60, ClientId = "abc" }) { ReadOnly = true },

        // CONNACK
        new("CONNACK, accepted", Server, V5, "20 03 00 00 00", new ConnAckPacket()),
        new("CONNACK, accepted", Server, V3, "20 02 00 00", new ConnAckPacket()),
        new("CONNACK with a session", Server, V5, "20 03 01 00 00", new ConnAckPacket { SessionPresent = true }),
        new("CONNACK with a session", Server, V311, "20 02 01 00", new ConnAckPacket { SessionPresent = true }),
        new("CONNACK with a byte that means nothing yet", Server, V31, "20 02 01 00", new ConnAckPacket()) { ReadOnly = true },
        new("CONNACK, version refused", Server, V3, "20 02 00 01", Refused(ReasonCode.UnsupportedProtocolVersion)),
        new("CONNACK, client identifier refused", Server, V3, "20 02 00 02", Refused(ReasonCode.ClientIdentifierNotValid)),
        new("CONNACK, server unavailable", Server, V3, "20 02 00 03", Refused(ReasonCode.ServerUnavailable)),
        new("CONNACK, bad credentials", Server, V3, "20 02 00 04", Refused(ReasonCode.BadUserNameOrPassword)),
        new("CONNACK, not authorized", Server, V3, "20 02 00 05", Refused(ReasonCode.NotAuthorized)),
        new("CONNACK, not authorized", Server, V5, "20 03 00 87 00", Refused(ReasonCode.NotAuthorized)),
        new("CONNACK of an older server", Server, V5, "20 02 00 01", Refused(ReasonCode.UnsupportedProtocolVersion)) { ReadOnly = true },
        new("CONNACK of an older server", Server, V5, "20 02 00 05", Refused(ReasonCode.NotAuthorized)) { ReadOnly = true },
        new("CONNACK of an older server with a code of 5.0", Server, V5, "20 02 00 84",
            Refused(ReasonCode.UnsupportedProtocolVersion)) { ReadOnly = true },
        new("CONNACK with everything", Server, V5,
            "20 { 01 00 { 11 00000E10 21 0014 24 01 25 00 27 00010000 12 'you' 22 000A 1F 'why' 28 00 29 01 2A 00 13 001E 1A 'resp'"
            + "1C 'other:1883' 15 'SCRAM' 16 0000 26 'k' 'v' } }",
            new ConnAckPacket
            {
                SessionPresent = true,
                SessionExpiryInterval = 3600,
                ReceiveMaximum = 20,
                MaximumQoS = QoS.AtLeastOnce,
                RetainAvailable = false,
                MaximumPacketSize = 65536,
                AssignedClientIdentifier = "you",
                TopicAliasMaximum = 10,
                ReasonString = "why",
                WildcardSubscriptionAvailable = false,
                SubscriptionIdentifiersAvailable = true,
                SharedSubscriptionAvailable = false,
                ServerKeepAlive = 30,
                ResponseInformation = "resp",
                ServerReference = "other:1883",
                AuthenticationMethod = "SCRAM",
                AuthenticationData = Array.Empty<byte>(),
                UserProperties = [new("k", "v")],
            }),

        // PINGREQ and PINGRESP
        new("PINGREQ", Client, All, "C0 00", default(PingReqPacket)),
        new("PINGRESP", Server, All, "D0 00", default(PingRespPacket)),

        // DISCONNECT
        new("DISCONNECT", Client, All, "E0 00", new DisconnectPacket()),
        new("DISCONNECT", Server, V5, "E0 00", new DisconnectPacket()),
        new("DISCONNECT with a reason code", Client, V5, "E0 01 04",
            new DisconnectPacket { ReasonCode = ReasonCode.DisconnectWithWillMessage }),
        new("DISCONNECT with a reason code", Server, V5, "E0 01 8E", new DisconnectPacket { ReasonCode = ReasonCode.SessionTakenOver }),
        new("DISCONNECT that leaves nothing out", Both, V5, "E0 02 00 00", new DisconnectPacket()) { ReadOnly = true },
        new("DISCONNECT with everything", Client, V5, "E0 { 00 { 11 00000000 1F 'bye' 26 'k' 'v' } }",
            new DisconnectPacket { SessionExpiryInterval = 0, ReasonString = "bye", UserProperties = [new("k", "v")] }),
        new("DISCONNECT with everything", Server, V5, "E0 { 9C { 1F 'bye' 1C 'there' 26 'k' 'v' } }",
            new DisconnectPacket
            {
                ReasonCode = ReasonCode.UseAnotherServer,
                ReasonString = "bye",
                ServerReference = "there",
                UserProperties = [new("k", "v")],
            }),

        // AUTH
        new("AUTH, bare", Server, V5, "F0 00", new AuthPacket()),
        new("AUTH, bare, that leaves nothing out", Server, V5, "F0 02 00 00", new AuthPacket()) { ReadOnly = true },
        new("AUTH goes on", Both, V5, "F0 { 18 { 15 'SCRAM' 16 0002 0102 } }",
            new AuthPacket
            {
                ReasonCode = ReasonCode.ContinueAuthentication,
                AuthenticationMethod = "SCRAM",
                AuthenticationData = new byte[] { 1, 2 },
            }),
        new("AUTH starts over", Client, V5, "F0 { 19 { 15 'SCRAM' } }",
            new AuthPacket { ReasonCode = ReasonCode.ReAuthenticate, AuthenticationMethod = "SCRAM" }),
        new("AUTH with everything", Server, V5, "F0 { 00 { 15 'SCRAM' 16 0000 1F 'fine' 26 'k' 'v' } }",
            new AuthPacket
            {
                AuthenticationMethod = "SCRAM",
                AuthenticationData = Array.Empty<byte>(),
                ReasonString = "fine",
                UserProperties = [new("k", "v")],
            }),
    ];

    private static ConnectPacket Older(MqttVersion version) => new()
    {
        Version = version,
        KeepAlive = 10,
        ClientId = "cid",
        UserName = "user",
        Password = Encoding.UTF8.GetBytes("pw"),
        Will = new() { Topic = "w/t", Payload = new byte[] { 0 }, QoS = QoS.AtLeastOnce, Retain = true },
    };

    private static ConnAckPacket Refused(ReasonCode code) => new() { ReasonCode = code };
}
