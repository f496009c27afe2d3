namespace Nightjar.Subscriptions;

/// <summary>What a <see cref="LeasedMessage"/> looks at. One per handler, used for one message after the other; the generation tells them apart.</summary>
internal sealed class MessageLease
{
    private ReceivedMessage _message;

    public int Generation { get; private set; }

    public LeasedMessage Begin(in ReceivedMessage message)
    {
        _message = message;
        return new LeasedMessage(this, Generation);
    }

    public void End()
    {
        Generation++;
        _message = default;
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
}
