namespace Nightjar.Subscriptions;

/// <summary>
/// The messages of a subscription, one at a time. Asking for the next acknowledges the one before; leaving otherwise leaves the current one
/// unacknowledged, so that the server sends it again on the next connection. What was accepted before the subscription ended is still there after it.
/// </summary>
internal sealed class MessageSequence : IAsyncEnumerator<MqttMessage>
{
    private readonly MessageFeed _feed;
    private readonly bool _consumes;
    private readonly CancellationToken _cancellation;
    private readonly CancellationTokenRegistration _registration;
    private MessageAcknowledgement? _current;
    private bool _ended;
    private bool _disposed;

    /// <param name="feed">Where the messages come from.</param>
    /// <param name="consumes">Whether the consumer's place was taken for it; without, it only sees the end.</param>
    /// <param name="cancellation">Ends it.</param>
    public MessageSequence(MessageFeed feed, bool consumes, CancellationToken cancellation)
    {
        _consumes = consumes;
        _feed = feed;
        _cancellation = cancellation;
        _registration = cancellation.UnsafeRegister(static state => ((MessageQueue)state!).Wake(), feed.Queue);
    }

    public MqttMessage Current { get; private set; } = null!;

    public async ValueTask<bool> MoveNextAsync()
    {
        if (!_feed.LeavesToHandler)
        {
            Acknowledge();
        }

        while (true)
        {
            _cancellation.ThrowIfCancellationRequested();
            if (_ended)
            {
                return false;
            }

            // In this order: what was appended before the end must not be missed.
            var closed = _feed.IsClosed;
            if (_consumes && _feed.TryTake(out var message))
            {
                var acknowledgement = _feed.AcknowledgementFor(message);
                Current = message.ToMessage(acknowledgement);
                Volatile.Write(ref _current, acknowledgement);
                message.Chunk.Release();
                return true;
            }

            // After that: a subscription that is refused closes with its failure, and the end must not be seen without it.
            if (_feed.TakeFailure() is { } failure)
            {
                throw failure;
            }

            if (closed)
            {
                _ended = true;
                return false;
            }

            await _feed.Queue.WaitAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Acknowledges the current message; once, from whichever thread comes first.</summary>
    public void Acknowledge() => Interlocked.Exchange(ref _current, null)?.Settle(MessageOutcome.Acknowledge);

    public ValueTask DisposeAsync()
    {
        _registration.Dispose();
        if (!_feed.LeavesToHandler)
        {
            Interlocked.Exchange(ref _current, null)?.Settle(MessageOutcome.LeaveUnacknowledged);
        }

        _ended = true;
        if (_consumes && !_disposed)
        {
            _disposed = true;
            _feed.StopConsuming();
        }

        return default;
    }
}
