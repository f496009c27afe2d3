using Nightjar.Protocol.Session;

namespace Nightjar.Protocol.Engine;

/// <summary>What became of a message at the door of the outbox.</summary>
internal enum OutboxAdmission : byte
{
    /// <summary>It may come in; hand it over with Accept, under the same lock.</summary>
    Admitted,

    /// <summary>There is no room yet: ask for it with WaitForRoom.</summary>
    MustWait,

    /// <summary>There is no room, and the overflow policy is to say so.</summary>
    Full,

    /// <summary>There is no room, and it is the newest that goes.</summary>
    Dropped,

    /// <summary>It alone is more than the whole budget.</summary>
    TooLarge,

    /// <summary>There is no connection, and the message is not to wait for one.</summary>
    Offline,

    /// <summary>There is no connection, and a QoS 0 message is not to wait for one, nor to be an error.</summary>
    DroppedOffline,
}

/// <summary>Somebody who waits for room: how much, and until when.</summary>
internal sealed record RoomRequest(object Waiter, int Length, QoS QoS, byte[]? Topic, long Deadline)
{
    public LinkedListNode<RoomRequest>? Node { get; set; }
}

/// <summary>
/// How many messages, and bytes of topics, properties and payloads, the outbox may hold, and who waits for room: in the order of asking, so that nobody is overtaken. Guarded with the
/// outbound half.
/// </summary>
internal sealed class OutboxBudget(OutboxSettings settings, MessageStore messages)
{
    private readonly LinkedList<RoomRequest> _waiting = new();
    private readonly Dictionary<byte[], int>? _topics = settings.Overflow == OutboxOverflow.LatestPerTopic ? new(TopicBytesComparer.Instance) : null;
    private int _unreliable;
    private int _reserved;
    private long _reservedBytes;

    /// <summary>How many wait for room.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>Whether one of them has a QoS 0 message, which no other of that QoS may overtake.</summary>
    public bool HoldsUnreliable => _unreliable > 0;

    /// <summary>When the first of them has waited long enough; <see cref="long.MaxValue"/> if never. All may wait equally long.</summary>
    public long Deadline => _waiting.First?.Value.Deadline ?? long.MaxValue;

    /// <summary>Whether the first of them finds room now.</summary>
    public bool CanGrant => _waiting.First is { } first && Fits(first.Value.Length);

    /// <summary>Whether a message finds room, and nobody waited before it.</summary>
    public bool HasRoom(int length) => _waiting.Count == 0 && Fits(length);

    /// <summary>Whether it would fit if others left.</summary>
    public bool CanEverFit(int length) => length <= settings.MaximumBytes;

    /// <summary>Whether it finds room, whoever waits, once as much leaves.</summary>
    public bool Fits(int length, int leaving = 0, int leavingBytes = 0) =>
        messages.Count + _reserved - leaving < settings.MaximumMessages && messages.Bytes + _reservedBytes - leavingBytes + length <= settings.MaximumBytes;

    /// <summary>Whether a message of this topic waits, whose place no newer one may take before it has one.</summary>
    public bool Holds(ReadOnlySpan<byte> topic) => _topics is { Count: > 0 } && _topics.GetAlternateLookup<ReadOnlySpan<byte>>().ContainsKey(topic);

    public RoomRequest Wait(object waiter, in OutgoingPublish message, long now)
    {
        var topic = _topics is null ? null : message.Topic.ToArray();
        var request = new RoomRequest(waiter, message.Length, message.QoS, topic, settings.PublishTimeout == long.MaxValue ? long.MaxValue : now + settings.PublishTimeout);
        request.Node = _waiting.AddLast(request);
        _unreliable += message.QoS == QoS.AtMostOnce ? 1 : 0;
        if (topic is not null)
        {
            _topics![topic] = _topics.GetValueOrDefault(topic) + 1;
        }

        return request;
    }

    /// <summary>Leaves the line. False: it has left already.</summary>
    public bool Withdraw(RoomRequest request)
    {
        if (request.Node is null)
        {
            return false;
        }

        _waiting.Remove(request.Node);
        request.Node = null;
        _unreliable -= request.QoS == QoS.AtMostOnce ? 1 : 0;
        if (request.Topic is { } topic && --_topics![topic] == 0)
        {
            _topics.Remove(topic);
        }

        return true;
    }

    /// <summary>The first in line, if it finds room now.</summary>
    public bool TryGrant(out object? waiter)
    {
        waiter = null;
        if (!CanGrant)
        {
            return false;
        }

        waiter = TakeFirst();
        return true;
    }

    /// <summary>The first in line, if it has waited long enough.</summary>
    public bool TryTakeLate(long now, out object? waiter)
    {
        waiter = null;
        if (now < Deadline)
        {
            return false;
        }

        waiter = TakeFirst();
        return true;
    }

    /// <summary>The first in line, whatever the room.</summary>
    public bool TryTakeAny(out object? waiter)
    {
        waiter = _waiting.Count > 0 ? TakeFirst() : null;
        return waiter is not null;
    }

    /// <summary>Room for a message whose bytes are still to come.</summary>
    public void Reserve(int length)
    {
        _reserved++;
        _reservedBytes += length;
    }

    /// <summary>It is there, or will not come.</summary>
    public void EndReservation(int length)
    {
        _reserved--;
        _reservedBytes -= length;
    }

    private object TakeFirst()
    {
        var request = _waiting.First!.Value;
        Withdraw(request);
        return request.Waiter;
    }
}
