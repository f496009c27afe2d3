namespace Nightjar;

/// <summary>
/// The names under which Nightjar shows itself to OpenTelemetry and to anybody else who listens: <c>AddMeter(NightjarTelemetry.MeterName)</c>,
/// <c>AddSource(NightjarTelemetry.ActivitySourceName)</c>. Nothing is measured and nothing traced unless somebody listens.
/// </summary>
/// <remarks>
/// <para>Instruments of the messaging conventions: <c>messaging.client.sent.messages</c>, <c>messaging.client.consumed.messages</c>,
/// <c>messaging.client.operation.duration</c> (a publish until it is acknowledged), <c>messaging.process.duration</c> (a handler's work).</para>
/// <para>Instruments of Nightjar's own: <c>mqtt.client.connections</c> (clients by state), <c>mqtt.client.connect.duration</c>, <c>mqtt.client.reconnects</c> (by the reason why
/// the connection before ended), <c>mqtt.client.session.resumed</c>, <c>mqtt.client.inflight</c>, <c>mqtt.client.queue.length</c>, <c>mqtt.client.dropped.messages</c> (by
/// reason), <c>mqtt.client.io</c> (bytes by direction), <c>mqtt.client.packets</c> (by type and direction), <c>mqtt.client.ping.rtt</c>.</para>
/// <para>They carry the server's address and port, and no topic: there may be millions. The clients of one server are added up. Spans are <c>publish</c> (producer) and
/// <c>process {filter}</c> (consumer); they carry the topic.</para>
/// </remarks>
public static class NightjarTelemetry
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Nightjar";

    /// <summary>The activity source's name.</summary>
    public const string ActivitySourceName = "Nightjar";
}
