namespace Nightjar.Protocol.Session;

/// <summary>
/// The topic aliases that the server uses on this connection (MQTT 5, 3.3.2.3.4): they end with it. Belongs to the receive loop.
/// </summary>
internal sealed class InboundAliases(int maximum)
{
    private byte[]?[]? _topics;

    /// <summary>
    /// The topic that a PUBLISH means: its own, which a new alias then stands for, or the alias's. Null is a violation: an alias of 0 or above our
    /// Topic Alias Maximum [MQTT5-3.3.2-8, MQTT5-3.3.2-9], or one that stands for nothing.
    /// </summary>
    public byte[]? Resolve(ushort alias, ReadOnlySpan<byte> topic)
    {
        if (alias == 0 || alias > maximum)
        {
            return null;
        }

        _topics ??= new byte[]?[maximum];
        ref var known = ref _topics[alias - 1];
        if (!topic.IsEmpty && (known is null || !topic.SequenceEqual(known)))
        {
            known = topic.ToArray();
        }

        return known;
    }
}
