using Nightjar.Connection;
using Nightjar.Protocol.Engine;

namespace Nightjar.Subscriptions;

/// <summary>
/// The messages of a subscription, one at a time. Asking for the next acknowledges the one before; leaving otherwise leaves the current one
/// unacknowledged, so that the server sends it again on the next connection.
/// </summary>
internal sealed class MessageSequence : IAsyncEnumerator<MqttMessage>
{
    private readonly EngineHost _host;
    private readonly MessageFeed _feed;
    private readonly bool _consumes;
    private readonly CancellationToken _cancellation;
    private readonly CancellationTokenRegistration _registration;
    private readonly Lock _settling = new();
    private AckToken _current;
    private bool _ended;
    private bool _disposed;

    /// <param name="host">Takes the acknowledgements.</param>
    /// <param name="feed">Where the messages come from.</param>
    /// <param name="consumes">Whether the consumer's place was taken for it; without, it only sees the end.</param>
    /// <param name="cancellation">Ends it.</param>
    public MessageSequence(EngineHost host, MessageFeed feed, bool consumes, CancellationToken cancellation)
    {
        _consumes = consumes;
        _host = host;
        _feed = feed;
        _cancellation = cancellation;
        _registration = cancellation.UnsafeRegister(static state => ((MessageQueue)state!).Wake(), feed.Queue);
    }

    public MqttMessage Current { get; private set; } = null!;

    public async ValueTask<bool> MoveNextAsync()
    {
        Acknowledge();
        while (true)
        {
            _cancellation.ThrowIfCancellationRequested();
            if (_ended)
            {
                return false;
            }

            if (!_feed.IsClosed && _feed.Queue.TryTake(out var message))
            {
                Current = message.ToMessage();
                lock (_settling)
                {
                    _current = message.Token;
                }

                message.Chunk.Release();
                return true;
            }

            // In this order: a subscription that is refused closes with its failure, and the end must not be seen without it.
            var closed = _feed.IsClosed;
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

    /// <summary>Acknowledges the current message; once.</summary>
    public void Acknowledge() => Settle(abandoned: false);

    public ValueTask DisposeAsync()
    {
        _registration.Dispose();
        Settle(abandoned: true);
        _ended = true;
        if (_consumes && !_disposed)
        {
            _disposed = true;
            _feed.StopConsuming();
        }

        return default;
    }

    /// <summary>Once per message, from whichever thread comes first: AcknowledgeAsync may be called beside the loop.</summary>
    private void Settle(bool abandoned)
    {
        AckToken settled;
        lock (_settling)
        {
            settled = _current;
            _current = default;
        }

        if (!settled.IsNone)
        {
            _host.Complete([new HandlerOutcome(settled, ReasonCode.Success, abandoned)]);
        }
    }
}
