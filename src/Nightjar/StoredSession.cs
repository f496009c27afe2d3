using Nightjar.Connection;
using Nightjar.Protocol.Journal;

namespace Nightjar;

/// <summary>
/// What lies in the store of a session, as the next client would take it over: for looking at it from outside, as <c>nightjar session show</c> does. It is a picture of the moment at which it was read.
/// </summary>
public sealed class StoredSession
{
    private StoredSession()
    {
    }

    /// <summary>What the store says of itself: its identity, how many files there are, how large they are, whether they are encrypted.</summary>
    public SessionStoreInspection Store { get; private init; }

    /// <summary>How many records lie there, those that count no more included.</summary>
    public long Records { get; private init; }

    /// <summary>The server that has the session, as logs call it; null if there was none yet. One name for several servers if they share it.</summary>
    public string? Server { get; private init; }

    /// <summary>The client identifier of the session; if there was no session yet, the one that was generated for it. Null if the application is to say it.</summary>
    public string? ClientId { get; private init; }

    /// <summary>Messages that the server has not taken yet, in the order in which they are sent.</summary>
    public IReadOnlyList<StoredSessionMessage> Outgoing { get; private init; } = [];

    /// <summary>Received messages whose handlers are not done, in order of arrival; see <see cref="AcknowledgeMode.Stored"/>.</summary>
    public IReadOnlyList<StoredSessionMessage> Unhandled { get; private init; } = [];

    /// <summary>How many received messages of QoS 1 and 2 have no final answer yet.</summary>
    public int Unanswered { get; private init; }

    /// <summary>How many delivered messages are known by their own identifiers, so that they are not sent a second time.</summary>
    public int RememberedIds { get; private init; }

    /// <summary>
    /// Stretches of the log that are no records, in order. With <see cref="DamageReason.Torn"/> nothing that counted is missing: it is what a process was writing when it was killed, or is writing now.
    /// </summary>
    public IReadOnlyList<DamagedRecords> Damage { get; private init; } = [];

    /// <summary>Records that say nothing that can be understood: foreign ones, or of a later version.</summary>
    public int UnknownRecords { get; private init; }

    /// <summary>Whether anything is missing that had been stored, for all that can be known.</summary>
    public bool IsDamaged => UnknownRecords > 0 || Damage.Any(stretch => stretch.Reason != DamageReason.Torn);

    /// <summary>Reads a store without changing it; also beside the process that has it open.</summary>
    /// <exception cref="StorageException">It cannot be read; the message says why and what to do.</exception>
    public static async Task<StoredSession> ReadAsync(FileSessionStore store, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        var contents = new Contents();
        var inspection = await store.ReadAsync(contents, cancellationToken).ConfigureAwait(false);
        var restored = contents.Complete();

        // The key of a session is the name of its server and the client identifier, in two lines; neither can hold a line feed.
        var session = restored.Identity?.Session?.Split('\n', 2);
        return new StoredSession
        {
            Store = inspection,
            Records = contents.Records,
            Server = session?[0],
            ClientId = session is [_, var clientId] ? clientId : restored.Identity?.GeneratedClientId,
            Outgoing = [.. restored.Messages.Select(message => StoredSessionMessage.From(message, restored.Contents))],
            Unhandled = [.. restored.Deliveries.Select(delivery => StoredSessionMessage.From(delivery, restored.Stored))],
            Unanswered = restored.Arrivals.Count,
            RememberedIds = restored.CompletedIds.Count,
            Damage = contents.Damages,
            UnknownRecords = restored.UnknownRecords,
        };
    }

    /// <summary>Counts beside what the journal makes of it.</summary>
    private sealed class Contents : ISessionRecovery
    {
        private readonly SessionRecovery _session = new();

        public long Records { get; private set; }

        public List<DamagedRecords> Damages { get; } = [];

        public void Record(long sequence, byte type, ReadOnlySpan<byte> payload)
        {
            Records++;
            _session.Record(sequence, type, payload);
        }

        public void Damage(in DamagedRecords stretch)
        {
            Damages.Add(stretch);
            _session.Damage(stretch);
        }

        public RestoredSession Complete() => _session.Complete();
    }
}
