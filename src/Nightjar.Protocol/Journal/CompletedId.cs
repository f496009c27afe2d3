namespace Nightjar.Protocol.Journal;

/// <summary>A message that is done, as it is remembered for the sake of its id.</summary>
/// <param name="Id">The application's own id, UTF-8.</param>
/// <param name="Record">What the message was called in the journal.</param>
/// <param name="End">Why it is done.</param>
/// <param name="ReasonCode">What the server said.</param>
/// <param name="Flags">What was special about it.</param>
/// <param name="PacketId">Its packet identifier; 0 if it had none.</param>
internal readonly record struct CompletedId(byte[] Id, long Record, MessageEnd End, ReasonCode ReasonCode, PublishFlags Flags, ushort PacketId);
