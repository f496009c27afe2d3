namespace Nightjar.Bench;

/// <summary>What a row measures.</summary>
internal enum RowKind
{
    Publish,
    Receive,
}

/// <summary>One line of the table.</summary>
/// <param name="Kind">Which way the messages go.</param>
/// <param name="QoS">Of the messages.</param>
/// <param name="PayloadSize">In bytes.</param>
/// <param name="InFlight">How many publishes wait for their acknowledgement; 0 where nothing is acknowledged or the Receive Maximum decides.</param>
/// <param name="Leased">Receive with <see cref="MqttClient.OnLeased(string, Action{LeasedMessage}, SubscribeOptions?)"/> instead of <see cref="MqttClient.On(string, Action{MqttMessage}, SubscribeOptions?)"/>.</param>
internal sealed record Row(RowKind Kind, int QoS, int PayloadSize, int InFlight = 0, bool Leased = false)
{
    public const string Topic = "bench/topic/1";

    /// <summary>All rows, in the order of the table.</summary>
    public static IReadOnlyList<Row> All { get; } = [.. List()];

    public string Name => Kind == RowKind.Receive
        ? $"receive-qos{QoS}-{PayloadSize}-{(Leased ? "leased" : "safe")}"
        : $"publish-qos{QoS}-{PayloadSize}{(InFlight > 0 ? $"-w{InFlight}" : "")}";

    /// <summary>One message at a time: its time counts, not the rate.</summary>
    public bool IsLatency => InFlight == 1;

    /// <summary>A safe message is a copy, so it allocates by its nature.</summary>
    public bool IsCopied => Kind == RowKind.Receive && !Leased;

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
}
