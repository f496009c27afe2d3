using System.Threading.Channels;

namespace Nightjar.Connection;

/// <summary>Hands each event to all who read at that moment. Publishing never waits: a slow reader loses its oldest.</summary>
internal sealed class EventFeed : IAsyncEnumerable<ClientEvent>
{
    private const int Capacity = 1024;

    private readonly Lock _lock = new();
    private readonly List<Channel<ClientEvent>> _readers = [];
    private bool _completed;

    public void Publish(ClientEvent happened)
    {
        lock (_lock)
        {
            foreach (var reader in _readers)
            {
                reader.Writer.TryWrite(happened);
            }
        }
    }

    public void Complete()
    {
        lock (_lock)
        {
            _completed = true;
            foreach (var reader in _readers)
            {
                reader.Writer.TryComplete();
            }
        }
    }

    /// <summary>Reading starts here, not at the first MoveNext: what happens in between is not missed.</summary>
    public IAsyncEnumerator<ClientEvent> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateBounded<ClientEvent>(new BoundedChannelOptions(Capacity)
        {
            FullMode = BoundedChannelFullMode.DropOldest,
            SingleReader = true,
        });
        lock (_lock)
        {
            _readers.Add(channel);
            if (_completed)
            {
                channel.Writer.TryComplete();
            }
        }

        return ReadAsync(channel, cancellationToken);
    }

    private async IAsyncEnumerator<ClientEvent> ReadAsync(Channel<ClientEvent> channel, CancellationToken cancellationToken)
    {
        try
        {
            while (await channel.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
            {
                while (channel.Reader.TryRead(out var happened))
                {
                    yield return happened;
                }
            }
        }
        finally
        {
            lock (_lock)
            {
                _readers.Remove(channel);
            }
        }
    }
}
