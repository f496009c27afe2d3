using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Subscriptions;

namespace Nightjar;

/// <summary>
/// The right to acknowledge one received message, once. It outlives the handler, the subscription and the connection: acknowledging late, twice, or when the server has long
/// forgotten is harmless. After a connection is lost the server sends a QoS 1 message again, and this one does nothing any more; for QoS 2 it still counts in a session that was kept. Thread-safe.
/// </summary>
public sealed class MessageAcknowledgement
{
    private readonly MessageFeed _feed;
    private readonly AckToken _token;
    private readonly long _deliveryId;
    private int _settled;

    internal MessageAcknowledgement(MessageFeed feed, AckToken token, long deliveryId)
    {
        _feed = feed;
        _deliveryId = deliveryId;
        _token = token;
    }

    /// <summary>Whether it was used, by whoever came first: the application, or the client after the handler.</summary>
    public bool IsSettled => Volatile.Read(ref _settled) != 0;

    /// <summary>
    /// Acknowledges the message. PUBACK and PUBREC leave in the order in which messages arrived, so it goes out when those before it are done. If several subscriptions of this client got
    /// the message, it goes out when all are done with it. Never waits.
    /// </summary>
    /// <param name="reasonCode">Default: success. 5.0: a failure that PUBACK and PUBREC know (MQTT 5, 3.4.2.1) refuses the message; the server does not send it again.</param>
    /// <exception cref="ArgumentOutOfRangeException">A code that is neither.</exception>
    /// <exception cref="NotSupportedException">A failure, and the connection is not one of 5.0, which has no words for it.</exception>
    public void Acknowledge(ReasonCode reasonCode = ReasonCode.Success)
    {
        if (reasonCode == ReasonCode.Success)
        {
            Settle(MessageOutcome.Acknowledge);
            return;
        }

        ThrowIfNoRefusal(reasonCode);
        if (!_feed.Host.HasAckReasons)
        {
            throw new NotSupportedException(
                $"The message cannot be refused with {reasonCode}: before MQTT 5.0 an acknowledgement carries no reason. Acknowledge it without one, or call LeaveUnacknowledged.");
        }

        Settle(MessageOutcome.Refuse(reasonCode));
    }

    /// <summary>Leaves the message unacknowledged: the server sends it again on the next connection. Until then it takes one place of <see cref="ReceiveOptions.ReceiveMaximum"/>.</summary>
    public void LeaveUnacknowledged() => Settle(MessageOutcome.LeaveUnacknowledged);

    internal static void ThrowIfNoRefusal(ReasonCode reasonCode)
    {
        if (!reasonCode.IsFailure() || !ReasonCodeTable.IsLegal(reasonCode, PacketType.PubAck, PacketSender.Client))
        {
            throw new ArgumentOutOfRangeException(nameof(reasonCode), reasonCode, "PUBACK and PUBREC cannot refuse a message with this code; they know 0x80, 0x83, 0x87, 0x90, 0x91, 0x97 and 0x99.");
        }
    }

    /// <summary>Takes the right, for whoever hands in the outcome then.</summary>
    internal bool TryClaim() => Interlocked.Exchange(ref _settled, 1) == 0;

    internal void Settle(MessageOutcome outcome)
    {
        if (TryClaim())
        {
            _feed.Host.Complete([_feed.ToOutcome(_token, _deliveryId, outcome)]);
        }
    }
}
