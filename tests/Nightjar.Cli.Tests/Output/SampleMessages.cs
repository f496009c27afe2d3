using System.Text;
using Nightjar.Testing;

namespace Nightjar.Cli.Tests.Output;

/// <summary>The messages of the golden table.</summary>
internal static class SampleMessages
{
    public static MqttMessage Full { get; } = MqttMessage.Create(
        "a/b",
        "hello"u8.ToArray(),
        packetId: 1,
        timeToLive: TimeSpan.FromSeconds(60),
        payloadFormat: PayloadFormat.Utf8,
        contentType: "text/plain",
        responseTopic: "re/ply",
        correlationData: "corr"u8.ToArray(),
        userProperties: [new UserProperty("k1", "v1"), new UserProperty("k2", "v 2")],
        subscriptionIdentifiers: [7]);

    public static MqttMessage Bare { get; } = MqttMessage.Create("a/b", "hi", QoS.AtMostOnce);

    public static MqttMessage Binary { get; } = MqttMessage.Create(
        "a/é€", Encoding.Latin1.GetBytes("\u0001\u00ff\u00fe\u0080abc\u001b[31m"), QoS.AtMostOnce, contentType: "é€x");

    public static MqttMessage Empty { get; } = MqttMessage.Create("a/b", ReadOnlyMemory<byte>.Empty, QoS.ExactlyOnce);
}
