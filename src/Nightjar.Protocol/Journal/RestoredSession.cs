using Nightjar.Protocol.Engine;

namespace Nightjar.Protocol.Journal;

/// <summary>What an earlier process left, as its records tell it.</summary>
internal sealed class RestoredSession
{
    /// <summary>Whose session it is, and where; null if there was none, or if that is lost.</summary>
    public SessionIdentity? Identity { get; init; }

    /// <summary>The last connection was asked for and not answered: perhaps the server has a new session.</summary>
    public bool IsUncertain { get; init; }

    /// <summary>Messages that are not done, in the order in which they were accepted.</summary>
    public IReadOnlyList<RestoredMessage> Messages { get; init; } = [];

    /// <summary>Received messages without a final answer.</summary>
    public IReadOnlyList<RestoredArrival> Arrivals { get; init; } = [];

    /// <summary>Received messages whose handlers are not done, in order of arrival.</summary>
    public IReadOnlyList<RestoredDelivery> Deliveries { get; init; } = [];

    public IReadOnlyList<RestoredIdentifier> Identifiers { get; init; } = [];

    /// <summary>The highest subscription identifier that was ever used; 0 if none was.</summary>
    public uint HighestIdentifier { get; init; }

    /// <summary>Ids of messages that were delivered, oldest first.</summary>
    public IReadOnlyList<RestoredId> CompletedIds { get; init; } = [];

    /// <summary>Packet identifiers that a lost record may have given to a message. They stay taken until the session is gone.</summary>
    public IReadOnlyList<ushort> ReservedIds { get; init; } = [];

    /// <summary>Where records are missing that had been committed, for all we know.</summary>
    public IReadOnlyList<LostStretch> Lost { get; init; } = [];

    /// <summary>Records that say nothing that can be understood: foreign ones, or of a later version.</summary>
    public int UnknownRecords { get; init; }

    public bool IsDamaged => Lost.Count > 0;

    /// <summary>The last record; 0 if there is none.</summary>
    public long Last { get; init; }

    /// <summary>The contents of <see cref="Messages"/>.</summary>
    public MessageStore Contents { get; init; } = new();

    /// <summary>The contents of <see cref="Deliveries"/>.</summary>
    public MessageStore Stored { get; init; } = new();

    public LogSpan Span { get; init; } = new();

    /// <summary>The record that tells <see cref="Identity"/>.</summary>
    public (long Base, int Size) IdentityRecord { get; init; }

    /// <summary>Whether there is something that a server must be asked to go on with.</summary>
    public bool HasState => Identity?.Session is not null || Messages.Count > 0 || Arrivals.Count > 0;

    /// <summary>Everything that is alive, in the order of the records that tell it.</summary>
    public IEnumerable<(long Sequence, int Size, object Thing)> LiveThings()
    {
        var things = new List<(long Sequence, int Size, object Thing)>(Messages.Count + Arrivals.Count + Deliveries.Count + Identifiers.Count + CompletedIds.Count + 1);
        things.AddRange(Messages.Select(message => (message.Base, message.Size, (object)message)));
        things.AddRange(Arrivals.Select(arrival => (arrival.Base, arrival.Size, (object)arrival)));
        things.AddRange(Deliveries.Select(delivery => (delivery.Base, delivery.Size, (object)delivery)));
        things.AddRange(Identifiers.Select(identifier => (identifier.Base, identifier.Size, (object)identifier)));
        things.AddRange(CompletedIds.Select(id => (id.Base, id.Size, (object)id)));
        if (Identity is not null)
        {
            things.Add((IdentityRecord.Base, IdentityRecord.Size, Identity));
        }

        things.Sort((one, other) => one.Sequence.CompareTo(other.Sequence));
        return things;
    }
}
