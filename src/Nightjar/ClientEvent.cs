using Nightjar.Diagnostics;

namespace Nightjar;

/// <summary>Something that happened to a client; see <see cref="MqttClient.Events"/>.</summary>
public abstract record ClientEvent
{
    private protected ClientEvent()
    {
    }

    /// <summary>What it says besides its name; empty: nothing.</summary>
    private protected virtual string Text => "";

    /// <summary>One line for people: the name of the event, and what it says.</summary>
    public sealed override string ToString() => Text is { Length: > 0 } text ? $"{GetType().Name}: {OneLine.Of(text)}" : GetType().Name;

    /// <summary>An attempt begins; <see cref="Connected"/> or <see cref="ConnectFailed"/> follows, or nothing if the client is stopped meanwhile.</summary>
    /// <param name="Server">The server, as logs call it.</param>
    /// <param name="Number">Which attempt it is since the last stable connection; the first is 1.</param>
    public sealed record Connecting(string Server, int Number) : ClientEvent
    {
        private protected override string Text => $"{Server}, attempt {Number}";
    }

    /// <summary>A connection was made.</summary>
    public sealed record Connected(ConnectResult Result) : ClientEvent
    {
        private protected override string Text => $"{Result}";
    }

    /// <summary>A connection ended; exactly one for each <see cref="Connected"/>. <see cref="Error"/> is null if this side asked for it.</summary>
    public sealed record Disconnected(Exception? Error) : ClientEvent
    {
        /// <summary>Who or what ended it.</summary>
        public DisconnectCause Cause { get; init; }

        /// <summary>The code that the server sent, or that was sent to it; null if none was exchanged.</summary>
        public ReasonCode? ReasonCode { get; init; }

        /// <summary>One line for people.</summary>
        public string Reason { get; init; } = "";

        private protected override string Text => $"{Cause}{(ReasonCode is null ? "" : $", {ReasonCode}")}, {(Reason.Length > 0 ? Reason : Error?.Message ?? "on request")}";
    }

    /// <summary>An attempt failed. <see cref="NextAttemptIn"/> is null if there will be no other.</summary>
    public sealed record ConnectFailed(Exception Error, TimeSpan? NextAttemptIn) : ClientEvent
    {
        /// <summary>What can be done about it.</summary>
        public FailureClass Class { get; init; }

        private protected override string Text => $"{Class}, {(NextAttemptIn is { } next ? $"next attempt in {OneLine.Seconds(next)}" : "no other attempt")}: {Error.Message}";
    }

    /// <summary>The server told the client to use another one (0x9C, 0x9D), and it goes there.</summary>
    public sealed record Redirected(string From, string To) : ClientEvent
    {
        private protected override string Text => $"{From} to {To}";
    }

    /// <summary>Another client connected with this client's identifier; see <see cref="ReconnectOptions.Takeover"/>.</summary>
    public sealed record TakenOver(string ClientId) : ClientEvent
    {
        private protected override string Text => $"'{ClientId}'";
    }

    /// <summary>The server answered a filter: granted or denied.</summary>
    public sealed record SubscriptionAnswered(string Filter, ReasonCode ReasonCode) : ClientEvent
    {
        private protected override string Text => $"'{Filter}', {ReasonCode}";
    }

    /// <summary>A message came that no subscription of this client matches; it was acknowledged.</summary>
    public sealed record Unrouted(string Topic) : ClientEvent
    {
        private protected override string Text => $"'{Topic}'";
    }

    /// <summary>A handler threw, retries included.</summary>
    public sealed record HandlerFailed(string Filter, string Topic, Exception Error) : ClientEvent
    {
        /// <summary>What became of the message.</summary>
        public MessageOutcome Outcome { get; init; }

        private protected override string Text => $"'{Filter}', message to '{Topic}' {Outcome}: {Error.GetType().Name}: {Error.Message}";
    }

    /// <summary>A handler holds a message for longer than <see cref="ReceiveOptions.HandlerWarning"/>; once until one of its messages ends.</summary>
    public sealed record HandlerStalled(HeldMessage Message) : ClientEvent
    {
        private protected override string Text => $"{Message}";
    }

    /// <summary>So many messages waited longer than <see cref="ReceiveOptions.HandlerTimeout"/> for their handlers; they stay unacknowledged. <see cref="First"/> is the first of them.</summary>
    public sealed record HandlerTimedOut(HeldMessage First, int Count) : ClientEvent
    {
        private protected override string Text => $"{Count} messages, first of them: {First}";
    }

    /// <summary>Four fifths of <see cref="ReceiveOptions.ReceiveMaximum"/> have been in use for a second: when all is, the server sends no more. Once until it is less than a half.</summary>
    public sealed record WindowNearlyFull(int Held, int ReceiveMaximum) : ClientEvent
    {
        private protected override string Text => $"{Held} of {ReceiveMaximum}";
    }

    /// <summary>QoS 0 messages were dropped because their subscriber is too slow.</summary>
    public sealed record MessagesDropped(string Filter, long Count) : ClientEvent
    {
        private protected override string Text => $"{Count} for '{Filter}'";
    }

    /// <summary>
    /// A received message of <paramref name="Size"/> bytes, packet and all, was too large and is not stored (<see cref="ReceiveOptions.OversizedPackets"/>).
    /// <paramref name="Filter"/> is null if nobody got it; otherwise others read it as it arrives, and only the subscription to that filter does not get it.
    /// </summary>
    public sealed record MessageSkipped(string Topic, QoS QoS, int Size, string? Filter) : ClientEvent
    {
        private protected override string Text => $"'{Topic}' QoS {(int)QoS} {Size} B{(Filter is null ? "" : $" for '{Filter}'")}";
    }

    /// <summary>
    /// Connections end again and again because the server breaks the same rule, <paramref name="Times"/> times in a row so far: what causes it waits on the server. The client
    /// keeps trying, far apart, unless <see cref="ReconnectOptions.PermanentFailures"/> says to give up; <see cref="Error"/> says what can be done.
    /// </summary>
    public sealed record ReconnectLoop(Exception Error, int Times) : ClientEvent
    {
        private protected override string Text => $"{Times} times: {Error.Message}";
    }

    /// <summary>Outgoing QoS 0 messages went down with a connection before they were written.</summary>
    public sealed record PublishesDropped(long Count) : ClientEvent
    {
        private protected override string Text => $"{Count}";
    }

    /// <summary>
    /// The session's store was opened and what lay in it is there again; once for each client that has one, also if it was empty.
    /// </summary>
    public sealed record SessionRestored : ClientEvent
    {
        /// <summary>Messages that an earlier client had accepted and the server has not taken yet; those that were on their way count.</summary>
        public int PendingMessages { get; init; }

        /// <summary>Of these, those that were on their way: they have a packet identifier.</summary>
        public int InFlight { get; init; }

        /// <summary>Received messages that lie in the store until their handler is done; see <see cref="AcknowledgeMode.Stored"/>.</summary>
        public int UnhandledMessages { get; init; }

        /// <summary>Stretches of the store that could not be read. What a killed process had begun to write, and nobody had been told to be stored, does not count.</summary>
        public int DamagedStretches { get; init; }

        /// <summary>What these take, in bytes.</summary>
        public long DamagedBytes { get; init; }

        private protected override string Text =>
            $"{PendingMessages} to send, {InFlight} of them in flight, {UnhandledMessages} unhandled{(DamagedStretches > 0 ? $", {DamagedBytes} B damaged in {DamagedStretches}" : "")}";
    }

    /// <summary>
    /// The session's store cannot be opened or written, for instance because the disk is full; <see cref="Error"/> says why and what to do. Once for each time that it begins. What is stored stays, and what
    /// depends on being stored waits: messages of QoS 1 and 2 in both directions. QoS 0 goes on.
    /// </summary>
    public sealed record StorageFailed(Exception Error) : ClientEvent
    {
        private protected override string Text => Error.Message;
    }

    /// <summary>The session's store works again; what waited for it goes on.</summary>
    public sealed record StorageRecovered : ClientEvent;

    /// <summary>
    /// A message of the outbox will not be sent: it was dropped, expired, or is more than the server takes. Who published it hears it too. <paramref name="Id"/> is the application's own
    /// (<see cref="OutgoingMessage.Id"/>); null if it gave none.
    /// </summary>
    public sealed record MessageDropped(string Topic, QoS QoS, string? Id, MessageDropReason Reason) : ClientEvent
    {
        private protected override string Text => $"{(Id is null ? "" : $"'{Id}' ")}to '{Topic}', QoS {(int)QoS}: {Reason}";
    }

    /// <summary>A message that had been sent cannot be sent again on this connection; it is kept, not lost.</summary>
    public sealed record Quarantined(string Topic, ushort PacketId, string Reason) : ClientEvent
    {
        private protected override string Text => $"{PacketId} to '{Topic}': {Reason}";
    }
}
