using System.Diagnostics;

namespace Nightjar.Diagnostics;

/// <summary>One publish that somebody measures or traces, from the call to its end.</summary>
internal sealed class PublishWatch(ClientTelemetry telemetry, Activity? activity, long started)
{
    /// <summary>The server answered, or at QoS 0 the message is in the lane.</summary>
    public void End(ReasonCode reason) => telemetry.EndPublish(activity, started, reason.IsFailure() ? reason.ToString() : null);

    /// <summary>The caller gets this instead.</summary>
    public void End(Exception error) => telemetry.EndPublish(
        activity, started, error is MqttException { ReasonCode: { } reason } ? reason.ToString() : error.GetType().FullName);
}
