namespace Nightjar;

/// <summary>
/// Where the session of a client outlives its process, or its client: a log of records, whose meaning is the client's. <see cref="FileSessionStore"/> keeps it on the disk, <see cref="MemorySessionStore"/>
/// in memory; write another one to keep it elsewhere, and let <c>SessionStoreConformance</c> of Nightjar.Testing look at it. Give it to a client with <see cref="SessionOptions.Store"/>.
/// </summary>
/// <remarks>
/// The contract, for whoever writes one:
/// <list type="number">
/// <item><b>Order.</b> Each record has a sequence number, greater than that of every record that was appended before it, in this process or any earlier one. No number is given twice, even if the
/// record that had it is lost.</item>
/// <item><b>Commit.</b> Records are committed in their order: when one is, all before it are. What is committed comes back when the store is opened the next time, unless it was made obsolete; what
/// that survives (the end of the client, of the process, of the power) is the store's to say. What is not committed may come back or not.</item>
/// <item><b>Recovery.</b> Opening hands out what lies there, once, in order, as it was appended. What cannot be read is reported in its place, and keeps nothing else from being read.</item>
/// <item><b>Failures.</b> What can be read is handed out, or opening fails; after that nothing throws because of the store's own troubles. It reports them, keeps what was appended and tries again.</item>
/// <item><b>One user.</b> While a log is open, opening the store again fails (<see cref="StorageFailureKind.InUse"/>), in this process and in any other.</item>
/// </list>
/// </remarks>
public interface ISessionStore
{
    /// <summary>
    /// Opens the log, which is made if there is none, and hands <paramref name="recovery"/> all that lies in it, before this completes. The store itself holds nothing until then, and nothing after the log
    /// is disposed; so it can be opened again, by another client.
    /// </summary>
    /// <param name="recovery">Takes what lies there, one call at a time. What it throws ends the opening and comes out of it.</param>
    /// <param name="events">Hears what becomes of what is appended.</param>
    /// <param name="cancellationToken">Ends the opening; the store is as it was.</param>
    /// <exception cref="StorageException">The store cannot be opened; the message says why and what to do. What lies there is as it was.</exception>
    ValueTask<ISessionLog> OpenAsync(ISessionRecovery recovery, ISessionLogEvents events, CancellationToken cancellationToken = default);
}
