using Nightjar.Protocol.Engine;

namespace Nightjar.Connection;

/// <summary>Turns the engine's reasons into the exceptions that users see. One reason becomes the same exception for everyone who waited.</summary>
internal static class Failure
{
    /// <summary>For those who wait for a connection, and for events.</summary>
    public static Exception ToException(CloseReason reason, string server) => ToExceptionOf(reason, reason.Server ?? server);

    private static Exception ToExceptionOf(CloseReason reason, string server) => reason switch
    {
        { Cause: Exception cause } and { Kind: CloseKind.DialFailed } => cause,
        { Kind: CloseKind.Refused } => new MqttConnectException($"Cannot connect to {server}: {Lower(reason.Message)}", ConnectStage.Connect)
        {
            ReasonCode = reason.ReasonCode,
            ReasonString = reason.ReasonString,
            ServerReference = reason.ServerReference,
            UserProperties = reason.UserProperties,
            IsTransient = reason.IsTransient,
        },
        { Kind: CloseKind.ConnectTimeout } => new MqttConnectException(
            $"Cannot connect to {server}: {Lower(reason.Message).TrimEnd('.')}, while {Doing(reason)}.", (ConnectStage)reason.DialStage, reason.Cause as Exception)
        {
            IsTransient = true,
        },
        { Kind: CloseKind.Violation } => new MqttProtocolException($"{server} broke the protocol: {reason.Message}", reason.Clause ?? "")
        {
            ReasonCode = reason.ReasonCode,
            IsTransient = reason.IsTransient,
        },
        _ => new MqttDisconnectedException(reason.Kind == CloseKind.Requested ? reason.Message : $"The connection to {server} ended: {Lower(reason.Message)}", reason.Cause as Exception)
        {
            ReasonCode = reason.ReasonCode,
            ReasonString = reason.ReasonString,
            UserProperties = reason.UserProperties,
            IsTransient = reason.IsTransient,
        },
    };

    /// <summary>For those who wait for CONNACK: an attempt that ended without one is a failure to connect, whatever ended it.</summary>
    public static Exception ToConnectException(CloseReason reason, string server) => ToException(reason, server) switch
    {
        MqttConnectException connect => connect,
        _ when reason is { Kind: CloseKind.TransportLost, WasConnected: false } => new MqttConnectException(
            $"Cannot connect to {reason.Server ?? server}: {Lower(reason.Message)}", ConnectStage.Connect, reason.Cause as Exception)
        {
            IsTransient = true,
        },
        var other => other,
    };

    /// <summary>For the one who waits for this publish; null if it succeeded.</summary>
    public static Exception? ToException(in PublishOutcome outcome, string server) => outcome.End switch
    {
        PublishEnd.Answered when outcome.ReasonCode.IsFailure() => new MqttRefusedException(
            $"{server} refused the message: {outcome.ReasonCode} (0x{(byte)outcome.ReasonCode:X2}).")
        {
            ReasonCode = outcome.ReasonCode,
            IsTransient = outcome.ReasonCode is ReasonCode.QuotaExceeded or ReasonCode.UnspecifiedError or ReasonCode.ImplementationSpecificError,
        },
        PublishEnd.Answered => null,
        PublishEnd.Limit => new MqttLimitException(outcome.Detail!) { ReasonCode = outcome.ReasonCode },
        PublishEnd.Quarantined => new MqttLimitException($"The message was sent before and cannot be sent again on this connection, so it is kept: {outcome.Detail}") { ReasonCode = outcome.ReasonCode },
        PublishEnd.TimedOut => new MqttTimeoutException("The wait for this publish is over (OutboxOptions.PublishTimeout); the message itself is still on its way."),
        _ => ToConnectException(outcome.Reason!, server),
    };

    /// <summary>For the one who waits for a PINGRESP; without a reason the connection goes on.</summary>
    public static Exception ToPingException(CloseReason? reason, string server) => reason is not null
        ? ToException(reason, server)
        : new MqttTimeoutException($"{server} did not answer PINGREQ in time, though it sent other packets; the connection goes on.");

    private static string Doing(CloseReason reason) => (ConnectStage)reason.DialStage switch
    {
        ConnectStage.Dns => "looking up its name",
        ConnectStage.Tcp => "opening the connection",
        ConnectStage.Tls => "agreeing on TLS",
        ConnectStage.Preparation => "waiting for ReadinessGate or BeforeConnect",
        _ => "waiting for CONNACK",
    };

    private static string Lower(string message) =>
        message.Length > 1 && char.IsUpper(message[0]) && !char.IsUpper(message[1]) ? char.ToLowerInvariant(message[0]) + message[1..] : message;
}
