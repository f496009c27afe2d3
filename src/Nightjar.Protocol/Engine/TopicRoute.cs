using System.Text;
using Nightjar.Protocol.Codec;

namespace Nightjar.Protocol.Engine;

/// <summary>Where messages of one topic go that came for the same filters, and the topic's name as a string that all of them share.</summary>
internal sealed class TopicRoute
{
    private readonly byte[] _topic;
    private readonly uint[] _identifiers;
    private readonly bool _retained;
    private string? _name;

    public TopicRoute(byte[] topic, uint[] identifiers, bool retained, LocalSubscription[] subscriptions, int version)
    {
        _topic = topic;
        _identifiers = identifiers;
        _retained = retained;
        Subscriptions = subscriptions;
        Version = version;
        foreach (var identifier in identifiers)
        {
            IdentifiersLength += 1 + VariableByteInteger.SizeOf(identifier);
        }
    }

    public ReadOnlyMemory<byte> Topic => _topic;

    public LocalSubscription[] Subscriptions { get; }

    /// <summary>The subscription identifiers that the messages came with, if they were looked at.</summary>
    public IReadOnlyList<uint> Identifiers => _identifiers;

    /// <summary>What these take in a property section; one of this length holds nothing else.</summary>
    public int IdentifiersLength { get; }

    public int Version { get; }

    public string Name => _name ??= Encoding.UTF8.GetString(_topic);

    public bool IsFor(ReadOnlySpan<byte> topic, ReadOnlySpan<uint> identifiers, bool retained) =>
        topic.SequenceEqual(_topic) && identifiers.SequenceEqual(_identifiers) && retained == _retained;
}
