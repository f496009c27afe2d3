using System.Diagnostics.CodeAnalysis;

namespace Nightjar;

/// <summary>What becomes of a message that its handler could not deal with; see <see cref="SubscribeOptions.OnPoison"/>.</summary>
[SuppressMessage("Usage", "CA2225", Justification = "ValueTask.FromResult is the named way.")]
public readonly record struct MessageOutcome
{
    private readonly Kind _kind;
    private readonly ReasonCode _reasonCode;

    private MessageOutcome(Kind kind, ReasonCode reasonCode = ReasonCode.Success)
    {
        _kind = kind;
        _reasonCode = reasonCode;
    }

    private enum Kind : byte
    {
        Acknowledge,
        LeaveUnacknowledged,
        Refuse,
        Settled,
    }

    /// <summary>It is acknowledged, and the server forgets it.</summary>
    public static MessageOutcome Acknowledge => default;

    /// <summary>It stays unacknowledged: the server sends it again on the next connection. Until then it takes one place of <see cref="ReceiveOptions.ReceiveMaximum"/>. With
    /// <see cref="AcknowledgeMode.Stored"/> it stays in the store instead: the next client of the store hands it on again.</summary>
    public static MessageOutcome LeaveUnacknowledged => new(Kind.LeaveUnacknowledged);

    /// <summary>Nothing is left to be done: the handler did it itself.</summary>
    internal static MessageOutcome Settled => new(Kind.Settled);

    internal bool IsSettled => _kind == Kind.Settled;

    internal bool IsAbandoned => _kind == Kind.LeaveUnacknowledged;

    internal ReasonCode ReasonCode => _reasonCode;

    /// <summary>A decision that needs no time.</summary>
    public static implicit operator ValueTask<MessageOutcome>(MessageOutcome outcome) => new(outcome);

    /// <summary>
    /// 5.0: it is acknowledged with a failure, which ends it: the server does not send it again. Before 5.0 there is no such thing, and it is simply acknowledged.
    /// </summary>
    /// <param name="reasonCode">One that PUBACK and PUBREC know: 0x80, 0x83, 0x87, 0x90, 0x91, 0x97 or 0x99 (MQTT 5, 3.4.2.1).</param>
    /// <exception cref="ArgumentOutOfRangeException">Another one.</exception>
    public static MessageOutcome Refuse(ReasonCode reasonCode)
    {
        MessageAcknowledgement.ThrowIfNoRefusal(reasonCode);
        return new MessageOutcome(Kind.Refuse, reasonCode);
    }

    /// <summary>In a word.</summary>
    public override string ToString() => _kind switch
    {
        Kind.LeaveUnacknowledged => "left unacknowledged",
        Kind.Refuse => $"refused with {_reasonCode}",
        _ => "acknowledged",
    };
}
