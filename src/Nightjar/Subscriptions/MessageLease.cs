namespace Nightjar.Subscriptions;

/// <summary>What a <see cref="LeasedMessage"/> looks at. One per handler, used for one message after the other; the generation tells them apart.</summary>
internal sealed class MessageLease
{
    private ReceivedMessage _message;
    private MessageFeed? _feed;
    private MessageAcknowledgement? _acknowledgement;

    public int Generation { get; private set; }

    public LeasedMessage Begin(in ReceivedMessage message, MessageFeed feed, MessageAcknowledgement? acknowledgement = null)
    {
        _message = message;
        _feed = feed;
        _acknowledgement = acknowledgement;
        return new LeasedMessage(this, Generation);
    }

    /// <summary>Returns the acknowledgement, if somebody asked for it.</summary>
    public MessageAcknowledgement? End()
    {
        Generation++;
        _message = default;
        var acknowledgement = _acknowledgement;
        _acknowledgement = null;
        return acknowledgement;
    }

    public ref readonly ReceivedMessage Get(int generation)
    {
        if (generation != Generation)
        {
            throw new InvalidOperationException(
                "This leased message is over: it is valid until its handler's task ends. Call ToMessage() inside the handler to keep it.");
        }

        return ref _message;
    }

    /// <summary>Made when it is asked for; null for a message that needs none.</summary>
    public MessageAcknowledgement? Acknowledgement(int generation)
    {
        ref readonly var message = ref Get(generation);
        if (_acknowledgement is not null || _feed!.AcknowledgementFor(message) is not { } acknowledgement)
        {
            return _acknowledgement;
        }

        // A handler may have several threads that ask.
        return Interlocked.CompareExchange(ref _acknowledgement, acknowledgement, null) ?? acknowledgement;
    }
}
