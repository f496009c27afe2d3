namespace Nightjar.Storage;

/// <summary>What it means that a record is committed.</summary>
internal enum Durability
{
    /// <summary>It is on the disk: committed records survive a loss of power. One fsync for all that gathered during the one before.</summary>
    EveryMessage,

    /// <summary>The system has it, and writes it to the disk within <see cref="RecordLogOptions.FlushInterval"/>: committed records survive the end of the process at any moment.</summary>
    Grouped,

    /// <summary>The system has it, and writes it to the disk when it likes.</summary>
    System,
}
