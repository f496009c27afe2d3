namespace Nightjar;

/// <summary>Requests and their answers: what <see cref="MqttClient.RequestAsync(OutgoingMessage, TimeSpan?, CancellationToken)"/> and Respond agree on.</summary>
public sealed class RequestOptions
{
    /// <summary>How long an answer is waited for unless the call says otherwise. Default: 30 s; more than zero, at most 49 days; <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>: for ever.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The QoS of answers: what this client asks for as a requester and sends as a responder. Default: 0; a lost answer shows as a timeout.</summary>
    public QoS ResponseQoS { get; set; } = QoS.AtMostOnce;

    /// <summary>
    /// What response topics begin with; the client identifier follows. Default: <c>nightjar/response</c>. Where requests go by topic (see <see cref="CorrelateInTopic"/>) both sides must have
    /// the same. Not used when the server names one (<see cref="UseResponseInformation"/>).
    /// </summary>
    public string ResponseTopicPrefix { get; set; } = "nightjar/response";

    /// <summary>5.0: whether to ask the server for Response Information (3.1.2.11.6) and to put response topics under it, if it gives some. Default: true.</summary>
    public bool UseResponseInformation { get; set; } = true;

    /// <summary>
    /// Whether to ask in the way of 3.1 and 3.1.1 although the server speaks 5.0, for the sake of a responder that does not: the request goes to
    /// <c>TOPIC/nj-request/CLIENT/NUMBER</c>, its answer to <c>PREFIX/CLIENT/NUMBER</c>, a failure to <c>PREFIX/CLIENT/NUMBER/error</c>, and the payload is the application's alone. Default: false.
    /// </summary>
    public bool CorrelateInTopic { get; set; }

    /// <summary>How many requests may wait for their answer at once; one more is refused with <see cref="MqttLimitException"/>. Default: 10,000; at least 1.</summary>
    public int MaximumPending { get; set; } = 10_000;

    /// <summary>A copy.</summary>
    internal RequestOptions Snapshot() => (RequestOptions)MemberwiseClone();
}
