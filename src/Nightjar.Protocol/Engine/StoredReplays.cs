using Nightjar.Protocol.Journal;

namespace Nightjar.Protocol.Engine;

/// <summary>A message that was stored and not handled, by an earlier process mostly. Its bytes are read before the next call to the engine.</summary>
internal readonly ref struct StoredReplay
{
    public required long DeliveryId { get; init; }

    /// <summary>Where it goes; only those that <see cref="IsFor(LocalSubscription)"/> says get it, and each of them says when it is done.</summary>
    public required TopicRoute Route { get; init; }

    /// <summary>The newest of the subscriptions that had it here already.</summary>
    public required long LastHolder { get; init; }

    public required QoS QoS { get; init; }

    public required bool Retain { get; init; }

    public required ReadOnlySpan<byte> Properties { get; init; }

    public required ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>It goes to those that store messages and were made after it was left: the others handled it, or do not want it.</summary>
    public bool IsFor(LocalSubscription subscription) => IsFor(subscription, LastHolder);

    public static bool IsFor(LocalSubscription subscription, long lastHolder) => subscription.StoresMessages && subscription.Number > lastHolder;
}

/// <summary>
/// Messages that were stored and not handled, in order of arrival: those that an earlier process left, and those that subscriptions leave here. One that nobody wants stays in the log, until
/// somebody does.
/// </summary>
internal sealed class StoredReplays(RestoredSession session, SessionJournal journal, TopicRoutes routes)
{
    private readonly List<long> _waiting = [.. session.Deliveries.Select(delivery => delivery.DeliveryId)];
    private readonly List<long> _unwanted = [];
    private int _next;

    public bool IsEmpty => _next == _waiting.Count && _unwanted.Count == 0;

    /// <summary>Nobody here has this one any more, and it was not handled.</summary>
    public void Add(long deliveryId)
    {
        var place = _waiting.BinarySearch(_next, _waiting.Count - _next, deliveryId, comparer: null);
        if (place < 0)
        {
            _waiting.Insert(~place, deliveryId);
        }
    }

    /// <summary>Somebody new may want what nobody wanted.</summary>
    public void Rewind()
    {
        _waiting.RemoveRange(0, _next);
        _next = 0;
        _unwanted.ForEach(Add);
        _unwanted.Clear();
    }

    public bool TryTake(out StoredReplay replay)
    {
        while (_next < _waiting.Count)
        {
            var id = _waiting[_next++];
            if (!journal.TryFindStored(id, out var message, out var lastHolder))
            {
                continue;
            }

            var route = routes.Find(message.Topic);
            var handlers = 0;
            foreach (var subscription in route.Subscriptions)
            {
                handlers += StoredReplay.IsFor(subscription, lastHolder) ? 1 : 0;
            }

            if (handlers > 0)
            {
                journal.HandedOn(id, handlers);
                replay = new StoredReplay
                {
                    DeliveryId = id,
                    Route = route,
                    LastHolder = lastHolder,
                    QoS = message.QoS,
                    Retain = message.Retain,
                    Properties = message.Properties,
                    Payload = message.Payload,
                };
                return true;
            }

            _unwanted.Add(id);
        }

        _waiting.Clear();
        _next = 0;
        replay = default;
        return false;
    }
}
