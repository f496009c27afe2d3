namespace Nightjar.Protocol.Session;

/// <summary>The transitions of a session that the wire depends on.</summary>
internal enum SessionRecordKind : byte
{
    /// <summary>A new session: what was recorded before is void.</summary>
    Started,

    /// <summary>A message has a packet identifier; before its PUBLISH leaves.</summary>
    Assigned,

    /// <summary>PUBREC came; before its PUBREL leaves.</summary>
    Released,

    /// <summary>The final answer came; nothing depends on it.</summary>
    Completed,

    /// <summary>A received QoS 2 message is handled; before its PUBREC leaves.</summary>
    Received,

    /// <summary>PUBREL came; before its PUBCOMP leaves.</summary>
    ReceivedReleased,

    /// <summary>A filter has a subscription identifier, in the handle; before its SUBSCRIBE leaves.</summary>
    Identified,
}

/// <summary>One transition.</summary>
/// <param name="Kind">Which.</param>
/// <param name="PacketId">Ours or the server's, as the kind says; 0 for <see cref="SessionRecordKind.Started"/>.</param>
/// <param name="Handle">The host's handle of the message; -1 if there is none.</param>
/// <param name="Filter">The filter of <see cref="SessionRecordKind.Identified"/>; null for all others.</param>
internal readonly record struct SessionRecord(SessionRecordKind Kind, ushort PacketId, int Handle = -1, string? Filter = null);

/// <summary>
/// Where the session writes what must outlive the process. Appending never waits: it returns the record's number, and bytes that depend on it stay in their lane until
/// the host says that the log is committed up to there. Without a log every number is 0, which is always committed.
/// </summary>
internal interface ISessionLog
{
    /// <summary>Appends; returns a number greater than the one before, from 1 on.</summary>
    long Append(in SessionRecord record);
}

/// <summary>What a session is when there is no connection: enough to go on in another process.</summary>
/// <param name="Publishes">Identifier and handle of each PUBLISH without answer, in order; the last tells QoS 2.</param>
/// <param name="Releases">Identifier and handle of each released message without PUBCOMP, in order.</param>
/// <param name="Received">The server's QoS 2 identifiers that it has not released.</param>
internal sealed record SessionState(
    IReadOnlyList<(ushort PacketId, int Handle, bool ExactlyOnce)> Publishes,
    IReadOnlyList<(ushort PacketId, int Handle)> Releases,
    IReadOnlyList<ushort> Received);
