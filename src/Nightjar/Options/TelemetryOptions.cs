using System.Diagnostics.Metrics;

namespace Nightjar;

/// <summary>How a client shows itself to who measures and traces; see <see cref="NightjarTelemetry"/>.</summary>
public sealed class TelemetryOptions
{
    /// <summary>
    /// Whether published messages carry the current trace in the user properties <c>traceparent</c> and <c>tracestate</c> (W3C Trace Context for MQTT), so that their
    /// receiver's work can be linked to it. Only 5.0 has user properties. It costs about 70
    /// bytes per message, and some memory. A message that has a <c>traceparent</c> of its own keeps it. Received messages are linked whether or not this is set. Default: false.
    /// </summary>
    public bool PropagateContext { get; set; }

    /// <summary>Makes the meter, as dependency injection wants it. Default: null, one meter for the whole process.</summary>
    public IMeterFactory? MeterFactory { get; set; }

    /// <summary>A copy.</summary>
    internal TelemetryOptions Snapshot() => (TelemetryOptions)MemberwiseClone();
}
