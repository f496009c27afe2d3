namespace Nightjar;

/// <summary>What it means that a record of a <see cref="FileSessionStore"/> is committed. None of them makes a publish wait for longer than the write; they differ in what a loss of power takes.</summary>
public enum Durability
{
    /// <summary>It is on the disk: committed records survive a loss of power. One fsync for all that gathered during the one before.</summary>
    EveryMessage,

    /// <summary>
    /// The system has it, and writes it to the disk within <see cref="FileSessionStoreOptions.FlushInterval"/>: committed records survive the end of the process at any moment; a loss of power takes
    /// the last moments.
    /// </summary>
    Grouped,

    /// <summary>The system has it, and writes it to the disk when it likes: committed records survive the end of the process at any moment.</summary>
    System,
}
