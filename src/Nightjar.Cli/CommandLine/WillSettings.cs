using System.Text;

namespace Nightjar.Cli.CommandLine;

/// <summary>The flags of the will; its properties come by <c>-D WILL</c>.</summary>
internal sealed class WillSettings
{
    private string? _topic;
    private string? _payload;
    private QoS? _qos;
    private bool _retain;

    public WillSettings() => Flags = new FlagGroup("Will (published by the broker if this client dies)",
    [
        new("--will-topic", "TOPIC", "where to publish it", value => _topic = FlagValue.Topic("--will-topic", value)),
        new("--will-payload", "TEXT", "what to publish (nothing)", value => _payload = value),
        new("--will-qos", "QOS", "0, 1 or 2 (0)", value => _qos = FlagValue.QoS("--will-qos", value)),
        new("--will-retain", "retain it", () => _retain = true),
    ]);

    public FlagGroup Flags { get; }

    /// <summary>The will; null if there is none. Throws <see cref="UsageException"/> if parts of one are given without a topic.</summary>
    public WillMessage? ToWill(PropertyList properties)
    {
        if (_topic is null)
        {
            var part = _payload is not null ? "payload" : _retain ? "retain" : _qos is not null ? "QoS" : !properties.IsEmpty ? "properties" : null;
            return part is null ? null : throw new UsageException($"Will {part} given, but no will topic given.");
        }

        return new WillMessage
        {
            Topic = _topic,
            Payload = Encoding.UTF8.GetBytes(_payload ?? string.Empty),
            QoS = _qos ?? QoS.AtMostOnce,
            Retain = _retain,
            Delay = properties.Seconds("will-delay-interval") ?? TimeSpan.Zero,
            PayloadFormat = (PayloadFormat?)properties.Number("payload-format-indicator"),
            TimeToLive = properties.Seconds("message-expiry-interval"),
            ContentType = properties.Text("content-type"),
            ResponseTopic = properties.Text("response-topic"),
            CorrelationData = properties.Binary("correlation-data"),
            UserProperties = properties.UserProperties,
        };
    }
}
