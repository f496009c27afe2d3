namespace Nightjar.Protocol.Packets;

/// <summary>CONNECT: the first packet of a connection (MQTT 5, 3.1). Properties are 5.0 only; null means "not sent".</summary>
public sealed class ConnectPacket
{
    /// <summary>The version that this packet asks for and is written in.</summary>
    public MqttVersion Version { get; init; } = MqttVersion.Mqtt5;

    /// <summary>Start a new session; in 3.1 and 3.1.1 (CleanSession) it also ends with the connection.</summary>
    public bool CleanStart { get; init; }

    /// <summary>Seconds; 0 turns keep-alive off.</summary>
    public ushort KeepAlive { get; init; }

    /// <summary>Empty: the server assigns one (with CleanStart in 3.1.1; not in 3.1).</summary>
    public string ClientId { get; init; } = "";

    /// <summary>Null: not sent.</summary>
    public string? UserName { get; init; }

    /// <summary>Null: not sent. In 3.1 and 3.1.1 only together with a user name [MQTT311-3.1.2-22].</summary>
    public ReadOnlyMemory<byte>? Password { get; init; }

    /// <summary>The message that the server publishes if this client dies; null: none.</summary>
    public WillPacket? Will { get; init; }

    /// <summary>Seconds; 0xFFFFFFFF: never expires.</summary>
    public uint? SessionExpiryInterval { get; init; }

    /// <summary>1 to 65,535; default 65,535.</summary>
    public ushort? ReceiveMaximum { get; init; }

    /// <summary>Bytes, at least 1; default: no limit.</summary>
    public uint? MaximumPacketSize { get; init; }

    /// <summary>Default 0: the server may send no alias.</summary>
    public ushort? TopicAliasMaximum { get; init; }

    /// <summary>Default false.</summary>
    public bool? RequestResponseInformation { get; init; }

    /// <summary>Default true.</summary>
    public bool? RequestProblemInformation { get; init; }

    /// <summary>Enhanced authentication; null: none.</summary>
    public string? AuthenticationMethod { get; init; }

    /// <summary>Only together with <see cref="AuthenticationMethod"/>.</summary>
    public ReadOnlyMemory<byte>? AuthenticationData { get; init; }

    /// <summary>In the order of the wire.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary>Names the client, never its secrets.</summary>
    public override string ToString() =>
        $"CONNECT {Version} '{ClientId}' clean start {CleanStart}, keep-alive {KeepAlive} s{(UserName is null ? "" : ", with user name")}";
}

/// <summary>The will inside a CONNECT (MQTT 5, 3.1.2.5 and 3.1.3.2).</summary>
public sealed class WillPacket
{
    /// <summary>A topic name.</summary>
    public required string Topic { get; init; }

    /// <summary>At most 65,535 bytes.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>How it is published.</summary>
    public QoS QoS { get; init; }

    /// <summary>Whether it is retained.</summary>
    public bool Retain { get; init; }

    /// <summary>Seconds between the end of the connection and the will; default 0.</summary>
    public uint? DelayInterval { get; init; }

    /// <summary>Null: not sent.</summary>
    public PayloadFormat? PayloadFormat { get; init; }

    /// <summary>Seconds.</summary>
    public uint? MessageExpiryInterval { get; init; }

    /// <summary>Null: not sent.</summary>
    public string? ContentType { get; init; }

    /// <summary>A topic name.</summary>
    public string? ResponseTopic { get; init; }

    /// <summary>Null: not sent.</summary>
    public ReadOnlyMemory<byte>? CorrelationData { get; init; }

    /// <summary>In the order of the wire.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];
}
