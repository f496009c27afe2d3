namespace Nightjar.Diagnostics;

/// <summary>The names of what measurements and spans carry: OpenTelemetry's where it has one.</summary>
internal static class TelemetryTags
{
    public const string System = "messaging.system";
    public const string Mqtt = "mqtt";
    public const string Operation = "messaging.operation.name";
    public const string OperationType = "messaging.operation.type";
    public const string Topic = "messaging.destination.name";
    public const string Filter = "messaging.destination.template";
    public const string ClientId = "messaging.client.id";
    public const string BodySize = "messaging.message.body.size";
    public const string ServerAddress = "server.address";
    public const string ServerPort = "server.port";
    public const string Error = "error.type";
    public const string QoS = "mqtt.qos";
    public const string State = "mqtt.client.state";
    public const string Reason = "mqtt.reason";
    public const string Direction = "mqtt.direction";
    public const string PacketType = "mqtt.packet.type";
    public const string Sent = "sent";
    public const string Received = "received";
    public const string Publish = "publish";
    public const string Process = "process";
}
