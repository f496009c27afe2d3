using System.Text;
using Nightjar.Diagnostics;

namespace Nightjar;

/// <summary>A moment's explanation of what a client does and why.</summary>
public sealed record ClientStatus
{
    /// <summary>Where it is.</summary>
    public required ClientState State { get; init; }

    /// <summary>The server of the current or last attempt.</summary>
    public string? Server { get; init; }

    /// <summary>What the server agreed to; null while not connected.</summary>
    public ConnectResult? Connection { get; init; }

    /// <summary>The last failure, of an attempt or of a connection; it is kept when there is a connection again. Null if there was none.</summary>
    public Exception? LastError { get; init; }

    /// <summary>How long until the next attempt; null unless <see cref="ClientState.Waiting"/>.</summary>
    public TimeSpan? NextAttemptIn { get; init; }

    /// <summary>Failures since the last stable connection.</summary>
    public int Attempts { get; init; }

    /// <summary>QoS 1 and 2 messages that were sent and wait for their answer.</summary>
    public int InFlight { get; init; }

    /// <summary>Messages that wait to be sent: for a connection, for quota or for room.</summary>
    public int Queued { get; init; }

    /// <summary>Messages that wait for room in the outbox.</summary>
    public int WaitingForRoom { get; init; }

    /// <summary>Messages that were sent before and that the limits of this server forbid now; they are kept for the next connection. See <see cref="ClientEvent.Quarantined"/>.</summary>
    public int Quarantined { get; init; }

    /// <summary>How long until keep-alive sends PINGREQ if nothing else happens, zero while one is unanswered; null if keep-alive is off or there is no connection.</summary>
    public TimeSpan? NextKeepAliveIn { get; init; }

    /// <summary>The space that <see cref="MqttClient.Throttle"/>, or the server's "too much", puts between messages at the moment.</summary>
    public TimeSpan PublishDelay { get; init; }

    /// <summary>Received messages whose acknowledgement waits for a handler.</summary>
    public int Unacknowledged { get; init; }

    /// <summary>Requests that wait for their answer.</summary>
    public int PendingRequests { get; init; }

    /// <summary>Answers that came when nobody waited for them any more, since the client was made.</summary>
    public long LateResponses { get; init; }

    /// <summary>Which handlers hold messages for longer than <see cref="ReceiveOptions.HandlerWarning"/>, the oldest message of each subscription; usually empty.</summary>
    public IReadOnlyList<HeldMessage> Held { get; init; } = [];

    /// <summary>Received QoS 0 messages that were dropped for want of room, since the client was made.</summary>
    public long Dropped { get; init; }

    /// <summary>
    /// Nothing is being read from the network: received messages hold all the memory they may, a queue with <see cref="Overflow.Wait"/> is full, or a payload that is read as it arrives is not
    /// being read.
    /// </summary>
    public bool IsReceivingPaused { get; init; }

    /// <summary>How often that was so.</summary>
    public long ReceivePauses { get; init; }

    /// <summary>Received messages that were not stored because they were too large; see <see cref="ClientEvent.MessageSkipped"/>.</summary>
    public long SkippedMessages { get; init; }

    /// <summary>The session's store; null without one.</summary>
    public StorageStatus? Storage { get; init; }

    /// <summary>One line for people: where it is, what waits, and what is wrong.</summary>
    public override string ToString()
    {
        var line = new StringBuilder($"{State}");
        line.Append(Server is null || State is ClientState.Idle or ClientState.Closed ? "" : $", {Server}");
        line.Append(Connection is null ? "" : $", {Connection}");
        line.Append(NextAttemptIn is { } next ? $", next attempt in {OneLine.Seconds(next)} after {Attempts}" : "");
        Append(InFlight, "in flight");
        Append(Queued, "queued");
        Append(WaitingForRoom, "waiting for room");
        Append(Quarantined, "quarantined");
        Append(Unacknowledged, "unacknowledged");
        Append(PendingRequests, "requests pending");
        line.Append(IsReceivingPaused ? ", receiving paused" : "");
        line.Append(Storage is { Error: { } failing } ? $", store: {OneLine.Of(failing)}" : "");
        line.Append(Held.Count > 0 ? $", {Held[0]}" : "");
        line.Append(LastError is not null && Connection is null ? $": {OneLine.Of(LastError)}" : "");
        return line.ToString();

        void Append(int count, string what) => line.Append(count > 0 ? $", {count} {what}" : "");
    }
}

/// <summary>How the session's store does; see <see cref="SessionOptions.Store"/>.</summary>
public sealed record StorageStatus
{
    /// <summary>Whether it is open: from the first use of the client, or <see cref="MqttClient.OpenAsync"/>, to its end.</summary>
    public bool IsOpen { get; init; }

    /// <summary>Which store it is: chosen at random when it was made. Null while it is not open.</summary>
    public Guid? StoreId { get; init; }

    /// <summary>What keeps it from being opened or written; null: nothing.</summary>
    public Exception? Error { get; init; }

    /// <summary>Since when.</summary>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>What waits to be stored, in bytes.</summary>
    public long PendingBytes { get; init; }

    /// <summary>What the log holds in all, in bytes; 0 if the store does not say.</summary>
    public long Bytes { get; init; }

    /// <summary>How many files, or whatever it is made of, that is; 0 if the store does not say.</summary>
    public int Segments { get; init; }

    /// <summary>One line for people.</summary>
    public override string ToString() =>
        $"{(IsOpen ? "open" : "not open")}, {Bytes} B in {Segments}, {PendingBytes} B pending{(Error is null ? "" : $", failing: {OneLine.Of(Error)}")}";
}

/// <summary>A received message that a handler holds for long: nothing that came after it can be acknowledged.</summary>
/// <param name="Filter">The handler's subscription.</param>
/// <param name="Topic">The message's.</param>
/// <param name="PacketId">The message's.</param>
/// <param name="For">How long since it arrived.</param>
public sealed record HeldMessage(string Filter, string Topic, ushort PacketId, TimeSpan For)
{
    /// <summary>One line for people.</summary>
    public override string ToString() => $"'{OneLine.Of(Filter)}' has held the message {PacketId} to '{OneLine.Of(Topic)}' for {OneLine.Seconds(For)}";
}
