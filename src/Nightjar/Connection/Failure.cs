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
        PublishEnd.Dropped when outcome.Drop == MessageDropReason.Expired => new MqttExpiredException("The message's time to live was over before it could be sent."),
        PublishEnd.Dropped when outcome.Drop == MessageDropReason.TooOld => new MqttExpiredException("The message waited longer than OutboxOptions.MaximumAge allows and was not sent."),
        PublishEnd.Dropped => ToDroppedException(outcome.Drop),
        PublishEnd.Withdrawn => new OperationCanceledException("The message was withdrawn before it was sent."),
        PublishEnd.Kept => new MqttKeptException(
            "The message is in the store and not delivered yet; the next client that opens the store sends it.", ToConnectException(outcome.Reason!, server))
        {
            IsTransient = true,
        },
        PublishEnd.NoRoom => new MqttTimeoutException(
            "The outbox had no room for the message in time (OutboxOptions.PublishTimeout); it was not taken in. Raise OutboxOptions.MaximumMessages or MaximumBytes, or publish less."),
        PublishEnd.TimedOut => new MqttTimeoutException("The wait for this publish is over (OutboxOptions.PublishTimeout); the message itself is still on its way."),
        _ => ToConnectException(outcome.Reason!, server),
    };

    public static MqttDroppedException ToDroppedException(MessageDropReason reason) => new(
        reason switch
        {
            MessageDropReason.Replaced => "A newer value of the same topic took the message's place in the outbox (OutboxOptions.Overflow is LatestPerTopic).",
            MessageDropReason.Offline => "There is no connection, and the message was not to wait for one (WhenOffline is Drop).",
            MessageDropReason.ConnectionLost => "The connection ended before the message was written, and QoS 0 is not sent again.",
            _ => "The outbox was full and the message was dropped (OutboxOptions.Overflow).",
        },
        reason)
    {
        IsTransient = true,
    };

    /// <summary>For a message that the outbox did not take; null if that is no failure.</summary>
    public static Exception? ToException(OutboxAdmission admission, OutboxOptions outbox, int length, ClientState state, string server) => admission switch
    {
        OutboxAdmission.Full => new MqttOutboxFullException(
            $"The outbox is full: it holds at most {outbox.MaximumMessages} messages and {outbox.MaximumBytes} bytes (OutboxOptions.MaximumMessages, MaximumBytes); try again later, or raise them.")
        {
            IsTransient = true,
        },
        OutboxAdmission.TooLarge => new MqttOutboxFullException(
            $"The message takes {length} bytes, topic and properties included, and the whole outbox {outbox.MaximumBytes} (OutboxOptions.MaximumBytes); raise that, or send less."),
        OutboxAdmission.Dropped => ToDroppedException(MessageDropReason.Overflow),
        OutboxAdmission.Offline => new MqttOfflineException(
            $"There is no connection to {server} (the client's state is {state}) and the message is not to wait for one (WhenOffline is Fail); it was not sent.")
        {
            IsTransient = true,
        },
        _ => null,
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
