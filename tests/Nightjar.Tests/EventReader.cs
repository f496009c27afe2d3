namespace Nightjar.Tests;

/// <summary>Reads a client's events in order, from the moment it is made.</summary>
internal sealed class EventReader(MqttClient client) : IAsyncDisposable
{
    private readonly IAsyncEnumerator<ClientEvent> _events = client.Events.GetAsyncEnumerator();
    private readonly List<ClientEvent> _seen = [];

    /// <summary>What was read so far, also what was passed over.</summary>
    public IReadOnlyList<ClientEvent> Seen => _seen;

    /// <summary>The next event of this kind; others are passed over.</summary>
    public async Task<T> NextAsync<T>(Func<T, bool>? predicate = null)
        where T : ClientEvent
    {
        while (await _events.MoveNextAsync().AsTask().Soon($"{typeof(T).Name}; events before: {string.Join(", ", _seen)}"))
        {
            _seen.Add(_events.Current);
            if (_events.Current is T found && predicate is not { } matches || _events.Current is T other && predicate!(other))
            {
                return (T)_events.Current;
            }
        }

        throw new InvalidOperationException($"The events ended before {typeof(T).Name} came; there were: {string.Join(", ", _seen)}");
    }

    /// <summary>All that is left, once the client is closed.</summary>
    public async Task<IReadOnlyList<ClientEvent>> ToEndAsync()
    {
        while (await _events.MoveNextAsync().AsTask().Soon("the end of the events"))
        {
            _seen.Add(_events.Current);
        }

        return _seen;
    }

    public ValueTask DisposeAsync() => _events.DisposeAsync();
}
