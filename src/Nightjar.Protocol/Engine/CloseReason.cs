using Nightjar.Protocol.Codec;

namespace Nightjar.Protocol.Engine;

/// <summary>What kind of end it was.</summary>
internal enum CloseKind : byte
{
    /// <summary>This side asked for it.</summary>
    Requested,

    /// <summary>No connection could be made: name, TCP, TLS.</summary>
    DialFailed,

    /// <summary>The server answered CONNECT with a refusal.</summary>
    Refused,

    /// <summary>The connect deadline passed.</summary>
    ConnectTimeout,

    /// <summary>The transport ended or failed.</summary>
    TransportLost,

    /// <summary>The server sent DISCONNECT.</summary>
    ServerDisconnected,

    /// <summary>The server broke the protocol.</summary>
    Violation,

    /// <summary>The server stayed silent, or took no bytes.</summary>
    KeepAliveTimeout,

    /// <summary>Too many messages were left unacknowledged: a new connection makes the server deliver them again.</summary>
    Recycled,

    /// <summary>This side ends a healthy connection for another one, or until it is needed.</summary>
    Renewed,
}

/// <summary>
/// Why a connection ended, or could not be made. It is decided once, the first cause wins, and the same object reaches log, event and exception.
/// </summary>
internal sealed record CloseReason(CloseKind Kind, string Message)
{
    /// <summary>The server's code, or the one that it gets.</summary>
    public ReasonCode? ReasonCode { get; init; }

    /// <summary>The rule that was broken.</summary>
    public string? Clause { get; init; }

    public string? ReasonString { get; init; }

    /// <summary>What messages call the server.</summary>
    public string? Server { get; init; }

    public string? ServerReference { get; init; }

    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary>Whether trying again can help without anybody changing anything.</summary>
    public bool IsTransient { get; init; } = true;

    /// <summary>Whether the server said that we come too often: it passes by itself, but only if we stay away for as long as we ever do.</summary>
    public bool AsksForDistance => ReasonCode == Nightjar.ReasonCode.ConnectionRateExceeded;

    /// <summary>Whether it ended a connection that the server had accepted, and not an attempt to make one.</summary>
    public bool WasConnected { get; init; }

    /// <summary>How often in a row connections ended for this reason; 1 for the first, 0 where nobody counts.</summary>
    public int Times { get; init; }

    /// <summary>How far the host's dialling had come, in the host's own numbers; 0 if it says nothing.</summary>
    public int DialStage { get; init; }

    /// <summary>The host's exception, if it began there.</summary>
    public object? Cause { get; init; }

    /// <summary>What can be done about it.</summary>
    public FailureClass Class => this switch
    {
        { ReasonCode: Nightjar.ReasonCode.UseAnotherServer or Nightjar.ReasonCode.ServerMoved, Kind: CloseKind.Refused or CloseKind.ServerDisconnected } => FailureClass.Moved,
        { ReasonCode: Nightjar.ReasonCode.SessionTakenOver, Kind: CloseKind.ServerDisconnected } => FailureClass.TakenOver,
        { ReasonCode: Nightjar.ReasonCode.BadUserNameOrPassword or Nightjar.ReasonCode.NotAuthorized, Kind: CloseKind.Refused or CloseKind.ServerDisconnected } =>
            FailureClass.CredentialsRejected,
        { IsTransient: false } => FailureClass.Permanent,
        _ => FailureClass.Transient,
    };

    /// <summary>Who or what ended the connection.</summary>
    public DisconnectCause EndedBy => Kind switch
    {
        CloseKind.Requested or CloseKind.Recycled or CloseKind.Renewed => DisconnectCause.Local,
        CloseKind.ServerDisconnected => DisconnectCause.Remote,
        CloseKind.TransportLost when Cause is null => DisconnectCause.Remote,
        CloseKind.Violation => DisconnectCause.Protocol,
        _ => DisconnectCause.Network,
    };

    public static CloseReason From(in ProtocolViolation violation) => new(CloseKind.Violation, violation.ToString())
    {
        ReasonCode = violation.ReasonCode,
        Clause = violation.Clause,
    };

    /// <summary>Whether a refusal by the server goes away by itself.</summary>
    public static bool IsTransientRefusal(ReasonCode code) => code is
        Nightjar.ReasonCode.UnspecifiedError or Nightjar.ReasonCode.ImplementationSpecificError
        or Nightjar.ReasonCode.ServerUnavailable or Nightjar.ReasonCode.ServerBusy or Nightjar.ReasonCode.ServerShuttingDown
        or Nightjar.ReasonCode.KeepAliveTimeout or Nightjar.ReasonCode.QuotaExceeded or Nightjar.ReasonCode.MessageRateTooHigh
        or Nightjar.ReasonCode.ConnectionRateExceeded or Nightjar.ReasonCode.MaximumConnectTime
        or Nightjar.ReasonCode.AdministrativeAction or Nightjar.ReasonCode.UseAnotherServer;
}
