namespace Nightjar.Testing.Broker;

/// <summary>What was published, for tests to look at. Thread-safe; its lock is taken last.</summary>
internal sealed class PublishedLog
{
    private readonly Lock _gate = new();
    private readonly List<MqttMessage> _messages = [];
    private readonly ChangeSignal _changed = new();

    public void Add(MqttMessage message)
    {
        lock (_gate)
        {
            _messages.Add(message);
        }

        _changed.Raise();
    }

    public MqttMessage[] From(int index)
    {
        lock (_gate)
        {
            return [.. _messages.Skip(index)];
        }
    }

    /// <summary>The first message that is like this, now or later.</summary>
    public async Task<MqttMessage> FindAsync(Func<MqttMessage, bool> predicate, CancellationToken cancellationToken)
    {
        var seen = 0;
        while (true)
        {
            var changed = _changed.Next;
            var messages = From(seen);
            foreach (var message in messages)
            {
                if (predicate(message))
                {
                    return message;
                }
            }

            seen += messages.Length;
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>All messages, as soon as there are so many.</summary>
    public async Task<IReadOnlyList<MqttMessage>> CountAsync(int count, CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = _changed.Next;
            var messages = From(0);
            if (messages.Length >= count)
            {
                return messages;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }
}
