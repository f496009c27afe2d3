namespace Nightjar.Testing;

/// <summary>A record, as it was appended or came back.</summary>
internal sealed record StoredRecord(long Sequence, byte Type, byte[] Payload)
{
    public bool IsSame(StoredRecord other) => Sequence == other.Sequence && Type == other.Type && Payload.AsSpan().SequenceEqual(other.Payload);

    public override string ToString() => $"(number {Sequence}, type {Type}, {Payload.Length} bytes beginning {Convert.ToHexString(Payload.AsSpan(0, Math.Min(8, Payload.Length)))})";
}
