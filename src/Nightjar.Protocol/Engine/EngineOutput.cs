using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Session;

namespace Nightjar.Protocol.Engine;

/// <summary>What the engine wants done, or wants known: the rare outputs, in order. Bytes and ended waits have ways of their own.</summary>
internal abstract record EngineOutput
{
    private EngineOutput()
    {
    }

    /// <summary>
    /// Open a transport to <see cref="Target"/> and answer with HandleDialed or HandleTransportLost; where attempts are prepared, prepare this one first and say
    /// HandlePrepared.
    /// </summary>
    internal sealed record Dial(int Attempt, ServerSettings Target) : EngineOutput
    {
        /// <summary>Why the attempt or the connection before ended; null if there was none.</summary>
        public CloseReason? LastFailure { get; init; }

        /// <summary>Attempts since the last stable connection, this one included.</summary>
        public int Number { get; init; } = 1;

        /// <summary>The server refused the credentials, and this attempt is to bring others.</summary>
        public bool RenewCredentials { get; init; }

        /// <summary>It goes on with the attempt before: the version was not the right one, or the session there is to be emptied.</summary>
        public bool Continues { get; init; }
    }

    /// <summary>Messages that were stored and not handled are to be handed on, before any that come now: take them with TakeReplay.</summary>
    internal sealed record Replay : EngineOutput;

    /// <summary>Say with HandleDelay how long to wait after this failure, the <paramref name="Number"/>th since the last stable connection.</summary>
    internal sealed record AskDelay(int Question, CloseReason Reason, int Number, long Elapsed) : EngineOutput;

    /// <summary>Say with HandleWindow which window is open or opens next.</summary>
    internal sealed record AskWindow(int Question) : EngineOutput;

    /// <summary>Other settings took the place of the old ones.</summary>
    internal sealed record Updated(EngineSettings Settings) : EngineOutput;

    /// <summary>The server referred to another one, and this client goes there.</summary>
    internal sealed record Redirected(CloseReason Reason, string To) : EngineOutput;

    /// <summary>
    /// Close this attempt's transport, with <paramref name="AfterFlush"/> once all output is written; then HandleTransportLost. An attempt that is over already is
    /// closed silently.
    /// </summary>
    internal sealed record CloseTransport(int Attempt, bool AfterFlush) : EngineOutput;

    /// <summary>The server accepted.</summary>
    internal sealed record Connected(Accepted Accepted) : EngineOutput;

    /// <summary>A connection that had been accepted ended.</summary>
    internal sealed record Disconnected(CloseReason Reason) : EngineOutput;

    /// <summary>An attempt failed; <paramref name="RetryAt"/> is <see cref="long.MaxValue"/> if there will be no other.</summary>
    internal sealed record AttemptFailed(CloseReason Reason, long RetryAt) : EngineOutput
    {
        /// <summary>Whether <see cref="GaveUp"/> for the same reason follows.</summary>
        public bool GivesUp { get; init; }
    }

    /// <summary>The client gave up: calls that wait for a connection fail.</summary>
    internal sealed record GaveUp(CloseReason Reason) : EngineOutput;

    /// <summary>Down on request.</summary>
    internal sealed record Stopped : EngineOutput;

    /// <summary>Closed for good.</summary>
    internal sealed record Closed : EngineOutput;

    /// <summary>A message came that nobody here subscribes to.</summary>
    internal sealed record Unrouted(string Topic) : EngineOutput;

    /// <summary>A handler holds a message for longer than the warning time; once until it ends.</summary>
    internal sealed record HandlerStalled(HeldAcknowledgement Held) : EngineOutput;

    /// <summary>Handlers held so many messages for longer than the timeout, <paramref name="First"/> the first: they are left unacknowledged.</summary>
    internal sealed record HandlerTimedOut(HeldAcknowledgement First, int Count) : EngineOutput;

    /// <summary>Four fifths of our Receive Maximum wait for handlers; once until it is less than a half again.</summary>
    internal sealed record WindowNearlyFull(int Held, int Window) : EngineOutput;

    /// <summary>A PINGREQ was answered, keep-alive's own too.</summary>
    internal sealed record PingAnswered(long RoundTrip, IReadOnlyList<object> Waiters) : EngineOutput;

    /// <summary>Who waits for the answer to a PINGREQ waits in vain; without a reason the connection goes on.</summary>
    internal sealed record PingFailed(CloseReason? Reason, IReadOnlyList<object> Waiters) : EngineOutput;

    /// <summary>A message was too large and is not stored: for one subscription, while others take it as a stream, or for all (null).</summary>
    internal sealed record Skipped(string Topic, QoS QoS, int Size, string? Filter) : EngineOutput;

    /// <summary>The same breach of the protocol ended one connection after the other.</summary>
    internal sealed record Looping(CloseReason Reason, int Times) : EngineOutput;

    /// <summary>QoS 0 messages went down with a connection.</summary>
    internal sealed record Dropped(long Count) : EngineOutput;
}

/// <summary>What was agreed with the server.</summary>
internal sealed record Accepted(
    MqttVersion Version, string ClientId, bool SessionPresent, long KeepAlive, uint SessionExpiryInterval, ServerLimits Limits, ConnAckPacket Packet)
{
    /// <summary>
    /// Whether a session that is present is the one that we know. It is not in 3.1, which does not say; nor if an attempt before this one ended without an answer: the
    /// server may have begun a new session then, and the CONNACK that said so was lost.
    /// </summary>
    public bool SessionIsCertain { get; init; } = true;

    /// <summary>The session until now was another server's, or another client identifier's.</summary>
    public bool IsElsewhere { get; init; }
}
