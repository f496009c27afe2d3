namespace Nightjar.Protocol.Journal;

/// <summary>Rebuilds a session from the records that lie in its log. It throws on nothing that it reads.</summary>
internal sealed class JournalReader
{
    private long _last;

    /// <summary>The next record, in order.</summary>
    /// <param name="sequence">Its number.</param>
    /// <param name="type">What it is.</param>
    /// <param name="payload">What it says; read during the call.</param>
    public void Record(long sequence, byte type, ReadOnlySpan<byte> payload) => _last = sequence;

    /// <summary>Records are missing here.</summary>
    /// <param name="after">The last record before them; 0 if there is none.</param>
    /// <param name="before">The first behind them; 0 if there is none.</param>
    /// <param name="isTorn">It is the end of the newest segment, which a killed process may have begun to write: nothing that was committed.</param>
    public void Damage(long after, long before, bool isTorn) => _last = Math.Max(_last, Math.Max(after, before));

    /// <summary>That was all.</summary>
    public RestoredSession Complete() => new() { Last = _last };
}
