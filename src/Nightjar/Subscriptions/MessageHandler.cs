namespace Nightjar.Subscriptions;

/// <summary>The application's handler, in the form it was given.</summary>
internal abstract class MessageHandler
{
    /// <summary>Runs it for one message, whose bytes stay where they are until the task ends.</summary>
    public abstract ValueTask HandleAsync(in ReceivedMessage message, CancellationToken stopping);

    public static MessageHandler From(Func<MqttMessage, CancellationToken, ValueTask> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return new Safe(handler);
    }

    public static MessageHandler From(Func<MqttMessage, ValueTask> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return new Safe((message, _) => handler(message));
    }

    public static MessageHandler From(Action<MqttMessage> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return new Safe((message, _) =>
        {
            handler(message);
            return default;
        });
    }

    public static MessageHandler From(Func<LeasedMessage, CancellationToken, ValueTask> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return new Leased(handler);
    }

    public static MessageHandler From(Action<LeasedMessage> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return new Leased((message, _) =>
        {
            handler(message);
            return default;
        });
    }
    /// <summary>Whether it reads the payload as it arrives.</summary>
    public virtual bool TakesStreams => false;

    /// <summary>Its task has ended.</summary>
    public virtual void Done()
    {
    }

    /// <summary>Gets a copy.</summary>
    internal sealed class Safe(Func<MqttMessage, CancellationToken, ValueTask> handler) : MessageHandler
    {
        public override ValueTask HandleAsync(in ReceivedMessage message, CancellationToken stopping) => handler(message.ToMessage(), stopping);
    }

    /// <summary>Gets the message where it lies.</summary>
    internal sealed class Leased(Func<LeasedMessage, CancellationToken, ValueTask> handler) : MessageHandler
    {
        private readonly MessageLease _lease = new();

        public override ValueTask HandleAsync(in ReceivedMessage message, CancellationToken stopping) => handler(_lease.Begin(message), stopping);

        public override void Done() => _lease.End();
    }

    /// <summary>Gets the payload as a stream; that of a message which came whole lies in memory.</summary>
    internal sealed class Streamed(Func<StreamedMessage, CancellationToken, ValueTask> handler) : MessageHandler
    {
        public override bool TakesStreams => true;

        public override ValueTask HandleAsync(in ReceivedMessage message, CancellationToken stopping) =>
            HandleAsync(message.ToStreamedMessage(out var payload), payload, stopping);

        private async ValueTask HandleAsync(StreamedMessage message, StreamedPayload payload, CancellationToken stopping)
        {
            try
            {
                await handler(message, stopping).ConfigureAwait(false);
            }
            finally
            {
                payload.End();
            }
        }
    }
}
