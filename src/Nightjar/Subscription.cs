namespace Nightjar;

/// <summary>
/// What <see cref="MqttClient.Subscribe"/> and <see cref="MqttClient.On(string, Func{MqttMessage, CancellationToken, ValueTask}, SubscribeOptions?)"/> return. Made by Subscribe it is also the sequence of messages: asking for the next
/// acknowledges the one before; leaving the loop otherwise leaves the current one unacknowledged unless <see cref="AcknowledgeAsync"/> was called. Thread-safe; one
/// enumeration at a time. Disposing it unsubscribes.
/// </summary>
public sealed class Subscription : IAsyncEnumerable<MqttMessage>, IAsyncDisposable
{
    internal Subscription()
    {
    }

    /// <summary>The filter.</summary>
    public string Filter => throw new NotSupportedException("skeleton");

    /// <summary>Completes with the QoS that the server granted; faults with <see cref="MqttRefusedException"/> if it refused.</summary>
    public Task<QoS> Granted => throw new NotSupportedException("skeleton");

    /// <summary>Ends when no message will come any more: disposed, denied, or the client is closed.</summary>
    public Task Completion => throw new NotSupportedException("skeleton");

    /// <summary>Acknowledges the message that the loop is at, before the next is asked for.</summary>
    public ValueTask AcknowledgeAsync() => throw new NotSupportedException("skeleton");

    /// <inheritdoc/>
    public IAsyncEnumerator<MqttMessage> GetAsyncEnumerator(CancellationToken cancellationToken = default) => throw new NotSupportedException("skeleton");

    /// <summary>Unsubscribes and waits for the server's answer, if there is a connection. Never throws.</summary>
    public ValueTask DisposeAsync() => throw new NotSupportedException("skeleton");
}
