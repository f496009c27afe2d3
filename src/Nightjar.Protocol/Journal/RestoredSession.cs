namespace Nightjar.Protocol.Journal;

/// <summary>What an earlier process left, as its records tell it.</summary>
internal sealed class RestoredSession
{
    /// <summary>Messages that are not done, in the order in which they were accepted.</summary>
    public IReadOnlyList<RestoredMessage> Messages { get; init; } = [];

    /// <summary>Whether there is anything.</summary>
    public bool IsEmpty => Messages.Count == 0;

    /// <summary>The last record; 0 if there is none.</summary>
    public long Last { get; init; }
}
