namespace Nightjar.Subscriptions;

/// <summary>The application's handler, in the form it was given. Runs one message at a time.</summary>
internal abstract class MessageHandler
{
    /// <summary>Runs it for one message, whose bytes stay where they are until the task ends.</summary>
    /// <param name="message">The message.</param>
    /// <param name="feed">Where it came from.</param>
    /// <param name="acknowledgement">What it got when it was called for this message before, and threw.</param>
    public abstract ValueTask HandleAsync(in ReceivedMessage message, MessageFeed feed, MessageAcknowledgement? acknowledgement);

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

    /// <summary>Its task has ended. Returns what the application could have acknowledged the message with; null if it could not, or did not ask for it.</summary>
    public abstract MessageAcknowledgement? Done();

    /// <summary>The same, to run beside this one.</summary>
    public abstract MessageHandler Another();

    /// <summary>Gets a copy.</summary>
    internal sealed class Safe(Func<MqttMessage, CancellationToken, ValueTask> handler) : MessageHandler
    {
        private MessageAcknowledgement? _acknowledgement;

        public override ValueTask HandleAsync(in ReceivedMessage message, MessageFeed feed, MessageAcknowledgement? acknowledgement)
        {
            _acknowledgement = acknowledgement ?? feed.AcknowledgementFor(message);
            return handler(message.ToMessage(_acknowledgement), feed.Stopping);
        }

        public override MessageAcknowledgement? Done() => _acknowledgement;

        public override MessageHandler Another() => new Safe(handler);
    }

    /// <summary>Gets the message where it lies.</summary>
    internal sealed class Leased(Func<LeasedMessage, CancellationToken, ValueTask> handler) : MessageHandler
    {
        private readonly MessageLease _lease = new();

        public override ValueTask HandleAsync(in ReceivedMessage message, MessageFeed feed, MessageAcknowledgement? acknowledgement) =>
            handler(_lease.Begin(message, feed, acknowledgement), feed.Stopping);

        public override MessageAcknowledgement? Done() => _lease.End();

        public override MessageHandler Another() => new Leased(handler);
    }

    /// <summary>Gets the payload as a stream; that of a message which came whole lies in memory.</summary>
    internal sealed class Streamed(Func<StreamedMessage, CancellationToken, ValueTask> handler) : MessageHandler
    {
        private MessageAcknowledgement? _acknowledgement;

        public override bool TakesStreams => true;

        public override ValueTask HandleAsync(in ReceivedMessage message, MessageFeed feed, MessageAcknowledgement? acknowledgement)
        {
            _acknowledgement = acknowledgement ?? feed.AcknowledgementFor(message);
            return HandleAsync(message.ToStreamedMessage(_acknowledgement, out var payload), payload, feed.Stopping);
        }

        public override MessageAcknowledgement? Done() => _acknowledgement;

        public override MessageHandler Another() => new Streamed(handler);

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
