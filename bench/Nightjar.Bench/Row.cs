namespace Nightjar.Bench;

/// <summary>What a row measures.</summary>
internal enum RowKind
{
    /// <summary>Messages to the peer.</summary>
    Publish,

    /// <summary>Messages from the peer.</summary>
    Receive,

    /// <summary>Messages into the outbox, while there is no connection: how fast, and what they weigh.</summary>
    Queue,

    /// <summary>What was queued, out to the peer: from connecting to the last acknowledgement.</summary>
    Drain,

    /// <summary>Opening a store with many records, by itself.</summary>
    RecoverRecords,

    /// <summary>Opening a client on a store with many queued messages.</summary>
    RecoverSession,

    /// <summary>Messages from the peer, passed on by a handler to another client, whose server is far away.</summary>
    Bridge,
}

/// <summary>One line of the table.</summary>
/// <param name="Kind">What it measures.</param>
/// <param name="QoS">Of the messages.</param>
/// <param name="PayloadSize">In bytes.</param>
/// <param name="InFlight">How many publishes wait for their acknowledgement; 0 where nothing is acknowledged or the Receive Maximum decides.</param>
/// <param name="Leased">Receive with <see cref="MqttClient.OnLeased(string, Action{LeasedMessage}, SubscribeOptions?)"/> instead of <see cref="MqttClient.On(string, Action{MqttMessage}, SubscribeOptions?)"/>.</param>
/// <param name="Store">The client's session lies in files, as safe as this says; null: it has no store.</param>
/// <param name="Messages">How many, where the time does not decide; else 0.</param>
internal sealed record Row(RowKind Kind, int QoS, int PayloadSize, int InFlight = 0, bool Leased = false, Durability? Store = null, int Messages = 0)
{
    public const string Topic = "bench/topic/1";

    /// <summary>All rows, in the order of the table.</summary>
    public static IReadOnlyList<Row> All { get; } = [.. List(), .. ListOfSessions()];

    public string Name => Kind switch
    {
        RowKind.Receive => $"receive-qos{QoS}-{PayloadSize}-{(Leased ? "leased" : "safe")}",
        RowKind.Publish => $"publish-qos{QoS}-{PayloadSize}{(InFlight > 0 ? $"-w{InFlight}" : "")}{NameOfStore}",
        RowKind.Queue => $"queue-{PayloadSize}{NameOfStore}",
        RowKind.Drain => $"drain-qos{QoS}-{PayloadSize}{NameOfStore}",
        RowKind.RecoverRecords => "recover-records",
        RowKind.RecoverSession => "recover-session",
        _ => "bridge-20ms",
    };

    /// <summary>One message at a time: its time counts, not the rate.</summary>
    public bool IsLatency => InFlight == 1;

    /// <summary>One client that goes on from run to run, and allocates and calls the system for nothing but messages.</summary>
    public bool IsSteady => Kind is RowKind.Publish or RowKind.Receive;

    /// <summary>A safe message is a copy, so it allocates by its nature.</summary>
    public bool AllocatesNothing => Kind == RowKind.Publish || (Kind == RowKind.Receive && Leased);

    private string NameOfStore => Store switch
    {
        null => "",
        Durability.EveryMessage => "-every-message",
        Durability.Grouped => "-grouped",
        _ => "-system",
    };

    private static IEnumerable<Row> List()
    {
        foreach (var size in new[] { 16, 1024 })
        {
            yield return new Row(RowKind.Publish, 0, size);
            foreach (var qos in new[] { 1, 2 })
            {
                foreach (var inFlight in new[] { 1, 100, 1000 })
                {
                    yield return new Row(RowKind.Publish, qos, size, inFlight);
                }
            }

            foreach (var qos in new[] { 0, 1 })
            {
                yield return new Row(RowKind.Receive, qos, size, Leased: false);
                yield return new Row(RowKind.Receive, qos, size, Leased: true);
            }
        }
    }

    private static IEnumerable<Row> ListOfSessions()
    {
        const int Size = 64, Queued = 100_000;
        foreach (var store in new[] { Durability.EveryMessage, Durability.Grouped, Durability.System })
        {
            yield return new Row(RowKind.Publish, 1, Size, InFlight: 1000, Store: store);
        }

        foreach (var kind in new[] { RowKind.Queue, RowKind.Drain })
        {
            yield return new Row(kind, 1, Size, InFlight: 1000, Messages: Queued);
            yield return new Row(kind, 1, Size, InFlight: 1000, Store: Durability.Grouped, Messages: Queued);
        }

        yield return new Row(RowKind.RecoverRecords, 1, Size, Store: Durability.Grouped, Messages: 1_000_000);
        yield return new Row(RowKind.RecoverSession, 1, Size, InFlight: 1000, Store: Durability.Grouped, Messages: 300_000);
        yield return new Row(RowKind.Bridge, 1, Size);
    }
}
