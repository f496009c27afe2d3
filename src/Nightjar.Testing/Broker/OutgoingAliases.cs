namespace Nightjar.Testing.Broker;

/// <summary>The topic aliases that the broker uses towards one client: the first topics get them, for the connection's life.</summary>
internal sealed class OutgoingAliases
{
    private readonly Dictionary<string, ushort> _byTopic = new(StringComparer.Ordinal);

    /// <summary>The client's Topic Alias Maximum; 0: none.</summary>
    public int Maximum { get; set; }

    /// <summary>The topic's alias, 0 if there is none left for it; <paramref name="known"/> if the client knows it already.</summary>
    public ushort For(string topic, out bool known)
    {
        known = _byTopic.TryGetValue(topic, out var alias);
        if (!known && _byTopic.Count < Maximum)
        {
            alias = (ushort)(_byTopic.Count + 1);
            _byTopic.Add(topic, alias);
        }

        return alias;
    }
}
