namespace Nightjar.Protocol.Engine;

/// <summary>
/// Stands for one received QoS 1 or 2 message until it is acknowledged. It is bound to the connection that it came over: for QoS 1, one of an earlier
/// connection does nothing; for QoS 2 it is found again by its packet identifier as long as the session lives.
/// </summary>
/// <param name="Epoch">The connection, counted from 1; 0 is no token (QoS 0).</param>
/// <param name="Sequence">The slot on that connection.</param>
/// <param name="PacketId">The server's packet identifier.</param>
/// <param name="QoS">1 or 2.</param>
internal readonly record struct AckToken(uint Epoch, uint Sequence, ushort PacketId, QoS QoS)
{
    public bool IsNone => Epoch == 0;
}

/// <summary>How a handler ended, and with it a message.</summary>
/// <param name="Token">The message.</param>
/// <param name="ReasonCode">What the acknowledgement says; failures need 5.0.</param>
/// <param name="Abandoned">It stays unacknowledged, and the server sends it again on the next connection.</param>
/// <param name="By">Whose handler it was.</param>
/// <param name="DeliveryId">
/// The handler's message lies in the journal until it is done, and there is no token: it was acknowledged when it was stored. If it is abandoned it stays there, for a later subscription. 0: it does not.
/// </param>
internal readonly record struct HandlerOutcome(AckToken Token, ReasonCode ReasonCode, bool Abandoned = false, LocalSubscription? By = null, long DeliveryId = 0);
