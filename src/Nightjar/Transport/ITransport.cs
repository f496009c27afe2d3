namespace Nightjar.Transport;

/// <summary>
/// One way to one server: "give me a duplex byte stream". It keeps nothing between attempts: names, files and streams are taken anew each time.
/// </summary>
/// <remarks>
/// Transports compose: <see cref="TlsTransport"/> takes what <see cref="TcpTransport"/> gives, and <see cref="TransportFactory"/> alone knows which go together. They
/// know servers and their options, and nothing of MQTT beyond the rule of <see cref="PlaintextCredentials"/>. The options are a snapshot: nobody changes them.
/// </remarks>
internal interface ITransport
{
    /// <summary>
    /// Makes one attempt. Throws <see cref="MqttConnectException"/> for whatever the network, the server or a file did, and lets an
    /// <see cref="OperationCanceledException"/> of <paramref name="cancellationToken"/> through: the deadline is the caller's.
    /// </summary>
    /// <param name="atStage">Called as each stage begins, before it can fail.</param>
    /// <param name="cancellationToken">Ends the attempt; nothing stays open.</param>
    /// <returns>A stream that the caller owns.</returns>
    ValueTask<Stream> ConnectAsync(Action<ConnectStage> atStage, CancellationToken cancellationToken);
}
