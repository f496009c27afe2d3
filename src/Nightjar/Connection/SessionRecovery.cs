using Nightjar.Protocol.Journal;

namespace Nightjar.Connection;

/// <summary>What lay in the session's store when it was opened, on its way to the engine.</summary>
internal sealed class SessionRecovery : ISessionRecovery
{
    private readonly JournalReader _reader = new();

    /// <summary>The last record; 0 if there was none.</summary>
    public long Last { get; private set; }

    /// <summary>Stretches of the log that could not be read, but for what a killed process had begun to write.</summary>
    public int Damages { get; private set; }

    /// <summary>The bytes that they take.</summary>
    public long DamagedBytes { get; private set; }

    public void Record(long sequence, byte type, ReadOnlySpan<byte> payload)
    {
        Last = Math.Max(Last, sequence);
        _reader.Record(sequence, type, payload);
    }

    public void Damage(in DamagedRecords stretch)
    {
        var isTorn = stretch.Reason == DamageReason.Torn;
        if (!isTorn)
        {
            Damages++;
            DamagedBytes += stretch.Length;
        }

        _reader.Damage(stretch.After, stretch.Before == long.MaxValue ? 0 : stretch.Before, isTorn);
    }

    public RestoredSession Complete() => _reader.Complete();
}
