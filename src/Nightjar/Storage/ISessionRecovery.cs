namespace Nightjar;

/// <summary>Takes what lies in a log when it is opened: one call at a time, in order.</summary>
public interface ISessionRecovery
{
    /// <summary>A record, as it was appended.</summary>
    /// <param name="sequence">Greater than that of the record before.</param>
    /// <param name="type">As it was appended.</param>
    /// <param name="payload">As it was appended, in one piece; valid during the call.</param>
    void Record(long sequence, byte type, ReadOnlySpan<byte> payload);

    /// <summary>Here lies something that is no record, or no longer. Valid during the call.</summary>
    void Damage(in DamagedRecords stretch);
}
