using Nightjar.Protocol.Journal;

namespace Nightjar.Protocol.Engine;

/// <summary>A message that an earlier process stored and did not handle. Its bytes are read before the next call to the engine.</summary>
internal readonly ref struct StoredReplay
{
    public required long DeliveryId { get; init; }

    /// <summary>Where it goes; only those that store messages get it, and each of them says when it is done.</summary>
    public required TopicRoute Route { get; init; }

    public required QoS QoS { get; init; }

    public required bool Retain { get; init; }

    public required ReadOnlySpan<byte> Properties { get; init; }

    public required ReadOnlySpan<byte> Payload { get; init; }
}

/// <summary>
/// Messages that an earlier process stored and did not handle, in order of arrival. One that nobody here wants stays in the log, until somebody does.
/// </summary>
internal sealed class StoredReplays(RestoredSession session, SessionJournal journal, TopicRoutes routes)
{
    private readonly List<long> _waiting = [.. session.Deliveries.Select(delivery => delivery.DeliveryId)];
    private readonly List<long> _unwanted = [];
    private int _next;

    public bool IsEmpty => _next == _waiting.Count && _unwanted.Count == 0;

    /// <summary>Somebody new may want what nobody wanted.</summary>
    public void Rewind()
    {
        _waiting.RemoveRange(0, _next);
        _waiting.InsertRange(0, _unwanted);
        _unwanted.Clear();
        _next = 0;
    }

    public bool TryTake(out StoredReplay replay)
    {
        while (_next < _waiting.Count)
        {
            var id = _waiting[_next++];
            if (!journal.TryFindStored(id, out var message))
            {
                continue;
            }

            var route = routes.Find(message.Topic);
            if (LocalSubscription.CountStoring(route.Subscriptions) is > 0 and var handlers)
            {
                journal.HandedOn(id, handlers);
                replay = new StoredReplay
                {
                    DeliveryId = id,
                    Route = route,
                    QoS = message.QoS,
                    Retain = message.Retain,
                    Properties = message.Properties,
                    Payload = message.Payload,
                };
                return true;
            }

            _unwanted.Add(id);
        }

        replay = default;
        return false;
    }
}
