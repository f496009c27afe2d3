using Microsoft.Extensions.Logging;
using Nightjar.Protocol.Engine;

namespace Nightjar.Diagnostics;

/// <summary>What a client logs. Event ids are stable: 1xx connection, 2xx messages, 3xx looking at the client, 4xx the session's store. No payload, no credential, ever.</summary>
internal static partial class Log
{
    /// <summary>The rare outputs of the engine, in its order.</summary>
    public static void Output(ILogger logger, EngineOutput output, string server)
    {
        switch (output)
        {
            case EngineOutput.Dial dial:
                Dialling(logger, dial.Target.Name, dial.Number);
                break;
            case EngineOutput.Connected { Accepted: var accepted }:
                Connected(logger, server, accepted.Version, accepted.ClientId, accepted.SessionPresent);
                break;
            case EngineOutput.Disconnected { Reason: { Kind: CloseKind.Requested or CloseKind.Renewed } reason }:
                Disconnected(logger, reason.Server ?? server, reason.Message);
                break;
            case EngineOutput.Disconnected { Reason: { Class: FailureClass.TakenOver } reason }:
                TakenOver(logger, reason.Server ?? server);
                break;
            case EngineOutput.Disconnected { Reason: var reason }:
                ConnectionLost(logger, reason.Server ?? server, reason.Message);
                break;
            case EngineOutput.AttemptFailed { GivesUp: true }:
                // GaveUp follows, and says the same.
                break;
            case EngineOutput.AttemptFailed { Reason: var reason }:
                AttemptFailed(logger, reason.Server ?? server, reason.Message);
                break;
            case EngineOutput.GaveUp { Reason: var reason }:
                GaveUp(logger, reason.Server ?? server, reason.Message);
                break;
            case EngineOutput.Redirected redirected:
                Redirected(logger, redirected.Reason.Server ?? server, redirected.To);
                break;
            case EngineOutput.Updated:
                OptionsUpdated(logger);
                break;
            case EngineOutput.PingAnswered answered:
                PingAnswered(logger, TimeSpan.FromTicks(answered.RoundTrip));
                break;
            case EngineOutput.Unrouted unrouted:
                Unrouted(logger, unrouted.Topic);
                break;
            case EngineOutput.HandlerStalled { Held: var held }:
                HandlerStalled(logger, held.Subscription?.TopicFilter.Text, TimeSpan.FromTicks(held.For).TotalSeconds, held.Topic, held.PacketId);
                break;
            case EngineOutput.HandlerTimedOut { First: var first, Count: var count }:
                HandlerTimedOut(logger, count, first.Subscription?.TopicFilter.Text);
                break;
            case EngineOutput.WindowNearlyFull full:
                WindowNearlyFull(logger, full.Held, full.Window);
                break;
            case EngineOutput.Skipped skipped:
                Skipped(logger, skipped.Topic, skipped.Size, skipped.Filter is { } filter ? $" for '{filter}'" : "");
                break;
            case EngineOutput.Looping looping:
                Looping(logger, server, looping.Times, looping.Reason.Message);
                break;
            case EngineOutput.Dropped dropped:
                PublishesDropped(logger, dropped.Count);
                break;
        }
    }

    [LoggerMessage(202, LogLevel.Error, "A handler of '{Filter}' failed, retries included; its message is {Outcome}.")]
    public static partial void HandlerFailed(ILogger logger, string filter, MessageOutcome outcome, Exception error);

    [LoggerMessage(223, LogLevel.Error, "What was to decide over a message that the handler of '{Filter}' cannot deal with failed itself; the message is acknowledged.")]
    public static partial void PoisonDecisionFailed(ILogger logger, string filter, Exception error);

    [LoggerMessage(224, LogLevel.Error, "The key of a message for '{Filter}' could not be told; it is handled in order with others like it.")]
    public static partial void KeyFailed(ILogger logger, string filter, Exception error);

    [LoggerMessage(225, LogLevel.Warning, "QoS 0 messages for '{Filter}' are being dropped: {Limit} wait for its handler. The first {Count} are gone.")]
    public static partial void QueueFull(ILogger logger, string filter, int limit, long count);

    [LoggerMessage(132, LogLevel.Error, "The reconnect policy failed; the longest delay is taken.")]
    public static partial void PolicyFailed(ILogger logger, Exception error);

    [LoggerMessage(137, LogLevel.Warning, "The reconnect policy asks for a delay of {Delay}, which is negative or above 49 days; {Used} is taken, now and whenever it does so again.")]
    public static partial void DelayOutOfRange(ILogger logger, TimeSpan delay, TimeSpan used);

    [LoggerMessage(133, LogLevel.Error, "The connection schedule failed; there will be no connection until one is asked for.")]
    public static partial void ScheduleFailed(ILogger logger, Exception error);

    [LoggerMessage(135, LogLevel.Warning, "Changes of the network cannot be listened for; waits are not cut short.")]
    public static partial void NetworkWatchFailed(ILogger logger, Exception error);

    [LoggerMessage(106, LogLevel.Warning, "The stream to {Server} failed when it was closed; the connection is over all the same.")]
    public static partial void ClosingFailed(ILogger logger, string server, Exception error);

    [LoggerMessage(136, LogLevel.Error, "What was registered with the cancellation token of ReadinessGate, of BeforeConnect or of the opening of a stream failed when the attempt ended.")]
    public static partial void CancellingFailed(ILogger logger, Exception error);

    [LoggerMessage(205, LogLevel.Error, "What was registered with the cancellation token of a handler of '{Filter}' failed when the subscription ended.")]
    public static partial void StoppingFailed(ILogger logger, string filter, Exception error);

    [LoggerMessage(206, LogLevel.Error, "The TaskScheduler of HandlerContext takes no work; a handler of '{Filter}' could not be called, and messages for it stay unacknowledged.")]
    public static partial void SchedulerFailed(ILogger logger, string filter, Exception error);

    [LoggerMessage(203, LogLevel.Warning, "{Count} QoS 0 messages for '{Filter}' were dropped: its handler stood still and the receive budget was used up.")]
    public static partial void MessagesDropped(ILogger logger, long count, string filter);

    [LoggerMessage(400, LogLevel.Information, "The session was restored: {Pending} messages to be sent, {InFlight} of them on their way; {Unhandled} received and not handled yet.")]
    public static partial void SessionRestored(ILogger logger, int pending, int inFlight, int unhandled);

    [LoggerMessage(401, LogLevel.Error, "The session's store is damaged: {Count} stretches of {Bytes} bytes could not be read. What lay in them is lost, all else is there.")]
    public static partial void StoreDamaged(ILogger logger, int count, long bytes);

    [LoggerMessage(402, LogLevel.Error, "The session's store could not be opened.")]
    public static partial void OpeningFailed(ILogger logger, Exception error);

    [LoggerMessage(403, LogLevel.Error, "The session's store cannot be written; messages of QoS 1 and 2 wait until it can.")]
    public static partial void StorageFailed(ILogger logger, Exception error);

    [LoggerMessage(404, LogLevel.Information, "The session's store works again.")]
    public static partial void StorageRecovered(ILogger logger);

    [LoggerMessage(405, LogLevel.Error, "The session's store failed when it was closed, or when its opening was cancelled.")]
    public static partial void StoreThrew(ILogger logger, Exception error);

    [LoggerMessage(100, LogLevel.Debug, "Connecting to {Server}, attempt {Attempt}.")]
    private static partial void Dialling(ILogger logger, string server, int attempt);

    [LoggerMessage(101, LogLevel.Information, "Connected to {Server} with {Version} as '{ClientId}', session present: {SessionPresent}.")]
    private static partial void Connected(ILogger logger, string server, MqttVersion version, string clientId, bool sessionPresent);

    [LoggerMessage(102, LogLevel.Information, "Disconnected from {Server}: {Reason}")]
    private static partial void Disconnected(ILogger logger, string server, string reason);

    [LoggerMessage(103, LogLevel.Warning, "The connection to {Server} ended: {Reason}")]
    private static partial void ConnectionLost(ILogger logger, string server, string reason);

    [LoggerMessage(104, LogLevel.Warning, "No connection to {Server}: {Reason}")]
    private static partial void AttemptFailed(ILogger logger, string server, string reason);

    [LoggerMessage(105, LogLevel.Error, "Gave up connecting to {Server}: {Reason}")]
    private static partial void GaveUp(ILogger logger, string server, string reason);

    [LoggerMessage(130, LogLevel.Information, "{Server} referred to another server; going to {Target}.")]
    private static partial void Redirected(ILogger logger, string server, string target);

    [LoggerMessage(131, LogLevel.Error, "Another client connected to {Server} with this client's identifier and took the session; two clients must not share one.")]
    private static partial void TakenOver(ILogger logger, string server);

    [LoggerMessage(134, LogLevel.Information, "Other options are in force.")]
    private static partial void OptionsUpdated(ILogger logger);

    [LoggerMessage(120, LogLevel.Error, "{Server} ends connections for the same reason again and again, {Times} times so far: {Reason}")]
    private static partial void Looping(ILogger logger, string server, int times, string reason);

    [LoggerMessage(220, LogLevel.Warning, "A message of {Size} bytes to '{Topic}' is too large and was skipped{For}.")]
    private static partial void Skipped(ILogger logger, string topic, int size, string @for);

    [LoggerMessage(201, LogLevel.Warning, "A message to '{Topic}' came that no subscription matches; it is acknowledged and dropped.")]
    private static partial void Unrouted(ILogger logger, string topic);

    [LoggerMessage(226, LogLevel.Warning, "A handler of '{Filter}' has held the message {PacketId} to '{Topic}' for {Seconds} s; nothing that came after it can be acknowledged.")]
    private static partial void HandlerStalled(ILogger logger, string? filter, double seconds, string topic, ushort packetId);

    [LoggerMessage(221, LogLevel.Warning, "{Count} messages waited too long for their handlers, first of '{Filter}'; they stay unacknowledged, so that those behind them can go on.")]
    private static partial void HandlerTimedOut(ILogger logger, int count, string? filter);

    [LoggerMessage(222, LogLevel.Warning, "{Held} messages wait for handlers, of {Window} that the server may have under way: handlers are too slow for what comes.")]
    private static partial void WindowNearlyFull(ILogger logger, int held, int window);

    [LoggerMessage(204, LogLevel.Warning, "{Count} outgoing QoS 0 messages went down with the connection.")]
    private static partial void PublishesDropped(ILogger logger, long count);
}
