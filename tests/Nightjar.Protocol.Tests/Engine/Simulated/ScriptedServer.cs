using System.Buffers;
using System.Text;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Journal;

namespace Nightjar.Protocol.Tests.Engine.Simulated;

/// <summary>
/// The server's part, played by a test: it reads what the engine sent as lines such as <c>PUBLISH 1 q1 dup a/b 21.5</c> and answers packet by packet. Time stands still unless the
/// test moves it.
/// </summary>
internal sealed class ScriptedServer
{
    private readonly RecordingLog? _log;
    private PacketDecoder? _decoder;

    public ScriptedServer(EngineSettings? settings = null, RecordingLog? log = null, RestoredSession? session = null, DateTimeOffset? utcNow = null)
    {
        _log = log;
        Driver = new EngineDriver(settings ?? Settings(), log, session, utcNow);
    }

    public EngineDriver Driver { get; }

    public ClientEngine Engine => Driver.Engine;

    public CloseReason? LastDisconnect => Driver.Outputs.OfType<EngineOutput.Disconnected>().LastOrDefault()?.Reason;

    public static EngineSettings Settings(MqttVersion version = MqttVersion.Mqtt5) => new()
    {
        Connect = new ConnectPacket { ClientId = "test", KeepAlive = 60, SessionExpiryInterval = 3600 },
        Version = version,
        CleanStart = false,
        FirstConnect = FirstConnect.KeepTrying,
        Random = () => 0.5,
    };

    /// <summary>A client that wants its first connection.</summary>
    public static ScriptedServer Connecting(EngineSettings? settings = null)
    {
        var server = new ScriptedServer(settings);
        server.Engine.Connect(0);
        server.Driver.Collect();
        return server;
    }

    /// <summary>A client with a connection and these subscriptions, granted.</summary>
    public static ScriptedServer Subscribed(EngineSettings settings, params string[] filters)
    {
        var server = Connected(settings);
        foreach (var filter in filters)
        {
            server.Driver.Subscribe(filter);
        }

        server.Sent();
        for (ushort id = 1; id <= filters.Length; id++)
        {
            server.Send(new SubAckPacket { PacketId = id, ReasonCodes = [ReasonCode.GrantedQoS2] });
        }

        return server;
    }

    /// <summary>A client with a connection.</summary>
    public static ScriptedServer Connected(EngineSettings? settings = null, ConnAckPacket? answer = null, RecordingLog? log = null)
    {
        var server = new ScriptedServer(settings, log);
        server.Engine.Connect(server.Driver.Now);
        server.Accept(answer);
        return server;
    }

    /// <summary>Opens the transport that the engine asks for, and reads CONNECT.</summary>
    public ConnectPacket Open()
    {
        Driver.Collect();
        if (!Driver.WantsDial && Engine.State == ClientState.Idle)
        {
            // It waits for more subscriptions.
            Engine.Connect(Driver.Now);
            Driver.Collect();
        }

        Assert(Driver.WantsDial, "The engine wants no connection.");
        Driver.Dial();
        if (_log is { CommitsConnect: true })
        {
            Engine.HandleCommitted(_log.Records.Count);
        }

        _decoder = new PacketDecoder(PacketSender.Client, MqttVersion.Mqtt5);
        return (ConnectPacket)Read().Single().Other!;
    }

    /// <summary>Opens the transport, reads CONNECT, answers it.</summary>
    public ConnectPacket Accept(ConnAckPacket? answer = null)
    {
        var connect = Open();
        Send(answer ?? new ConnAckPacket());
        return connect;
    }

    /// <summary>The connection breaks, and the next one is accepted.</summary>
    public void Reconnect(bool sessionPresent = true, ConnAckPacket? answer = null)
    {
        Driver.Lose();
        Driver.AdvanceTo(Engine.RetryAt);
        Accept(answer ?? new ConnAckPacket { SessionPresent = sessionPresent });
    }

    public void Send(object packet) => Driver.Receive(PacketWriter.ToArray(packet, _decoder!.Version));

    public void Send(string topic, string payload, QoS qos = QoS.AtMostOnce, ushort packetId = 0, bool duplicate = false, ushort alias = 0) =>
        Driver.Receive(Publish(topic, payload, qos, packetId, duplicate, alias));

    /// <summary>A message with subscription identifiers.</summary>
    public void SendMarked(string topic, string payload, bool retain, params uint[] identifiers)
    {
        var properties = new ArrayBufferWriter<byte>();
        var writer = new PropertyWriter(properties);
        foreach (var identifier in identifiers)
        {
            writer.Write(PropertyId.SubscriptionIdentifier, identifier);
        }

        Driver.Receive(PacketWriter.ToArray(
            new PublishPacket
            {
                Topic = Encoding.UTF8.GetBytes(topic),
                Payload = Encoding.UTF8.GetBytes(payload),
                Properties = properties.WrittenSpan,
                Retain = retain,
            },
            _decoder!.Version));
    }

    public byte[] Publish(string topic, string payload, QoS qos, ushort packetId, bool duplicate = false, ushort alias = 0) => PacketWriter.ToArray(
        new PublishPacket
        {
            Topic = Encoding.UTF8.GetBytes(topic),
            Payload = Encoding.UTF8.GetBytes(payload),
            QoS = qos,
            PacketId = packetId,
            Duplicate = duplicate,
            TopicAlias = alias,
        },
        _decoder!.Version);

    public void Answer(PacketType type, ushort packetId, ReasonCode reason = ReasonCode.Success) => Send(new AckPacket(type, packetId, reason));

    /// <summary>What the engine sent since the last call.</summary>
    public List<string> Sent() => [.. Read().Select(p => p.Line)];

    /// <summary>The same, whole; of PUBLISH and the acknowledgements there is none.</summary>
    public List<object> SentPackets() => [.. Read().Select(p => p.Other).OfType<object>()];

    /// <summary>What the next write would carry, not written yet.</summary>
    public List<string> Taken()
    {
        var bytes = new List<byte>();
        Driver.Take(bytes);
        return [.. Decode(bytes.ToArray()).Select(p => p.Line)];
    }

    private static void Assert(bool holds, string message)
    {
        if (!holds)
        {
            throw new InvalidOperationException(message);
        }
    }

    private List<SentPacket> Read() => Decode(Driver.Flush());

    private List<SentPacket> Decode(ReadOnlySpan<byte> bytes)
    {
        var packets = new List<SentPacket>();
        while (!bytes.IsEmpty)
        {
            var status = _decoder!.Decode(bytes, bufferFull: false, out var packet, out var consumed);
            Assert(status == DecodeStatus.Packet, $"The engine sent {status}: {_decoder.Violation}");
            packets.Add(new SentPacket(Describe(packet), packet.Other));
            bytes = bytes[consumed..];
        }

        return packets;
    }

    private static string Describe(in DecodedPacket packet)
    {
        var name = packet.Type.ToString().ToUpperInvariant();
        switch (packet.Type)
        {
            case PacketType.Publish:
                var publish = packet.Publish;
                var line = new StringBuilder($"{name} {publish.PacketId} q{(int)publish.QoS}");
                line.Append(publish.Duplicate ? " dup" : "").Append(publish.Retain ? " retain" : "");
                line.Append(publish.TopicAlias != 0 ? $" @{publish.TopicAlias}" : "");
                line.Append(publish.Topic.IsEmpty ? "" : $" {Encoding.UTF8.GetString(publish.Topic)}");
                var properties = new PropertyReader(publish.Properties);
                while (properties.Read())
                {
                    line.Append(properties.Id == PropertyId.MessageExpiryInterval ? $" expires in {properties.Number}" : "");
                }

                return line.Append(' ').Append(Encoding.UTF8.GetString(publish.Payload)).ToString();
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp:
                return $"{name} {packet.Ack.PacketId}{Code(packet.Ack.ReasonCode)}";
            default:
                return packet.Other switch
                {
                    SubscribePacket p => $"{name} {p.PacketId}{(p.SubscriptionIdentifier is { } id ? $" ={id}" : "")} {string.Join(' ', p.Subscriptions.Select(Describe))}",
                    UnsubscribePacket p => $"{name} {p.PacketId} {string.Join(' ', p.Filters)}",
                    DisconnectPacket p => $"{name}{Code(p.ReasonCode)}",
                    _ => name,
                };
        }
    }

    private static string Describe(RequestedSubscription subscription)
    {
        var retained = subscription.RetainHandling switch { RetainHandling.SendAtSubscribe => "", RetainHandling.DoNotSend => " without retained", _ => " retained if new" };
        return $"{subscription.Filter}:{(int)subscription.QoS}{retained}";
    }

    private static string Code(ReasonCode code) => code == ReasonCode.Success ? "" : $" 0x{(byte)code:X2}";

    private sealed record SentPacket(string Line, object? Other);
}
