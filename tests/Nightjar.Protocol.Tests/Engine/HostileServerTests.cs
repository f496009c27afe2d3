using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>A server that says anything, in any order, whole or broken: the engine never throws, stays within its bounds, and is ready to connect again.</summary>
public sealed class HostileServerTests
{
    [Theory]
    [InlineData(MqttVersion.Mqtt5)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt31)]
    public void Anything_in_any_order_is_survived(MqttVersion version)
    {
        for (var seed = 0; seed < 1_500; seed++)
        {
            Attack(new Random(seed), version, seed);
        }
    }

    private static void Attack(Random random, MqttVersion version, int seed)
    {
        var settings = ScriptedServer.Settings(version) with
        {
            ReceiveMaximum = 5,
            MaximumPacketSize = 300,
            TopicAliasMaximum = 2,
            AllowVersionFallback = false,
            Outbox = new OutboxSettings { MaximumTopicAliases = 2, LowerQoS = seed % 2 == 0 },
        };
        var server = new ScriptedServer(settings);
        server.Driver.Handler = arrival => server.Driver.Complete(arrival.Token, abandoned: random.Next(10) == 0);
        server.Driver.Subscribe("#");
        for (var connection = 0; connection < 4; connection++)
        {
            for (var i = 0; i < 4; i++)
            {
                server.Driver.Publish($"building/{i}", "p", (QoS)random.Next(3), out _, new object());
            }

            server.Driver.AdvanceTo(Math.Max(server.Driver.Now, server.Engine.RetryAt == long.MaxValue ? 0 : server.Engine.RetryAt));
            server.Open();
            var script = new List<byte>();
            if (random.Next(10) > 0)
            {
                script.AddRange(PacketWriter.ToArray(ConnAck(random), version));
            }

            for (var i = 0; i < 12; i++)
            {
                script.AddRange(Packet(random, version));
            }

            Play(server, random, [.. script]);
            if (server.Driver.Open != 0)
            {
                server.Sent();
            }

            if (server.Driver.Open != 0)
            {
                server.Driver.Lose();
            }

            Assert.Equal(ClientState.Waiting, server.Engine.State);
            Assert.Null(server.Engine.Inbound);
        }

        server.Engine.Abort(server.Driver.Now);
        server.Driver.Collect();
        Assert.True(server.Driver.Ended.Select(e => e.Waiter).Distinct().Count() == server.Driver.Ended.Count, $"seed {seed}: a wait ended twice");
    }

    private static void Play(ScriptedServer server, Random random, byte[] script)
    {
        if (random.Next(2) == 0)
        {
            script[random.Next(script.Length)] = (byte)random.Next(256);
        }

        for (var position = 0; position < script.Length;)
        {
            var count = Math.Min(random.Next(1, 60), script.Length - position);
            server.Driver.Receive(script.AsSpan(position, count));
            position += count;
            if (server.Driver.Open == 0)
            {
                return;
            }

            if (random.Next(2) == 0)
            {
                server.Sent();
            }
        }
    }

    private static ConnAckPacket ConnAck(Random random) => new()
    {
        SessionPresent = random.Next(2) == 0,
        ReceiveMaximum = (ushort)random.Next(1, 4),
        MaximumQoS = random.Next(3) == 0 ? (QoS)random.Next(2) : null,
        MaximumPacketSize = random.Next(3) == 0 ? (uint)random.Next(1, 60) : null,
        TopicAliasMaximum = (ushort)random.Next(4),
        RetainAvailable = random.Next(2) == 0,
        WildcardSubscriptionAvailable = random.Next(4) == 0 ? false : null,
        ServerKeepAlive = random.Next(3) == 0 ? (ushort)random.Next(3) : null,
    };

    private static byte[] Packet(Random random, MqttVersion version)
    {
        var id = (ushort)random.Next(1, 8);
        switch (random.Next(11))
        {
            case < 4:
                var qos = (QoS)random.Next(3);
                var alias = version == MqttVersion.Mqtt5 && random.Next(4) == 0 ? (ushort)random.Next(1, 4) : (ushort)0;
                return PacketWriter.ToArray(
                    new PublishPacket
                    {
                        QoS = qos,
                        PacketId = qos == QoS.AtMostOnce ? (ushort)0 : id,
                        Duplicate = qos != QoS.AtMostOnce && random.Next(3) == 0,
                        Topic = alias != 0 && random.Next(2) == 0 ? default : "a/b"u8,
                        TopicAlias = alias,
                        Payload = new byte[random.Next(30)],
                    },
                    version);
            case < 8:
                var type = (PacketType)random.Next((int)PacketType.PubAck, (int)PacketType.PubComp + 1);
                return PacketWriter.ToArray(new AckPacket(type, id, Reason(random, type)), version);
            case 8:
                return PacketWriter.ToArray(
                    new SubAckPacket { PacketId = id, ReasonCodes = [.. Enumerable.Repeat(ReasonCode.UnspecifiedError, random.Next(1, 3))] }, version);
            case 9:
                return PacketWriter.ToArray(new UnsubAckPacket { PacketId = id, ReasonCodes = [ReasonCode.Success] }, version);
            default:
                return random.Next(3) switch
                {
                    0 => PacketWriter.ToArray(default(PingRespPacket), version),
                    1 => PacketWriter.ToArray(ConnAck(random), version),
                    _ => PacketWriter.ToArray(new DisconnectPacket { ReasonCode = ReasonCode.ServerShuttingDown }, version),
                };
        }
    }

    private static ReasonCode Reason(Random random, PacketType type) => random.Next(3) > 0
        ? ReasonCode.Success
        : type is PacketType.PubAck or PacketType.PubRec ? ReasonCode.QuotaExceeded : ReasonCode.PacketIdentifierNotFound;
}
