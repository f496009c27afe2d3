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
}
