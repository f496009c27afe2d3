namespace Nightjar.Protocol.Journal;

/// <summary>A message to be sent that an earlier process left.</summary>
internal sealed class RestoredMessage
{
    /// <summary>The record that it came in with: its identity, and its place among all messages.</summary>
    public required long Record { get; init; }

    public MessagePhase Phase { get; set; }

    public ushort PacketId { get; set; }
}
