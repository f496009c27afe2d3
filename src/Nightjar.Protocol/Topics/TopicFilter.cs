namespace Nightjar.Protocol.Topics;

/// <summary>
/// A parsed topic filter (MQTT 5, 4.7 and 4.8.2): <c>+</c> and <c>#</c> alone in their level, <c>#</c> last, and
/// <c>$share/NAME/FILTER</c> taken apart. Equality is by text, ordinal.
/// </summary>
public readonly struct TopicFilter : IEquatable<TopicFilter>
{
    /// <summary>Parses; on failure <paramref name="error"/> says what is wrong, for people, with what to do.</summary>
    public static bool TryParse(string text, out TopicFilter filter, out string? error) => throw new NotSupportedException("skeleton");

    /// <summary>Parses, or throws <see cref="ArgumentException"/>.</summary>
    public static TopicFilter Parse(string text) => throw new NotSupportedException("skeleton");

    /// <summary>The filter as it was given and goes to the wire.</summary>
    public string Text => throw new NotSupportedException("skeleton");

    /// <summary>The share name of a shared subscription; null otherwise.</summary>
    public string? ShareName => throw new NotSupportedException("skeleton");

    /// <summary>What topics are matched against: <see cref="Text"/> without the <c>$share/NAME/</c>.</summary>
    public string Pattern => throw new NotSupportedException("skeleton");

    /// <summary>Whether it starts with <c>$share/</c>.</summary>
    public bool IsShared => throw new NotSupportedException("skeleton");

    /// <summary>Whether the pattern has a wildcard.</summary>
    public bool HasWildcards => throw new NotSupportedException("skeleton");

    /// <summary>Whether a topic matches: <c>#</c> also matches the parent level, and neither wildcard matches a leading <c>$</c> [MQTT5-4.7.2-1].</summary>
    public bool Matches(string topic) => throw new NotSupportedException("skeleton");

    /// <summary>The same for UTF-8; allocates nothing.</summary>
    public bool Matches(ReadOnlySpan<byte> topicUtf8) => throw new NotSupportedException("skeleton");

    /// <inheritdoc/>
    public bool Equals(TopicFilter other) => string.Equals(Text, other.Text, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is TopicFilter other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => string.GetHashCode(Text, StringComparison.Ordinal);

    /// <summary>Equality by text, ordinal.</summary>
    public static bool operator ==(TopicFilter left, TopicFilter right) => left.Equals(right);

    /// <summary>The opposite of equality.</summary>
    public static bool operator !=(TopicFilter left, TopicFilter right) => !left.Equals(right);

    /// <summary>The text.</summary>
    public override string ToString() => Text;
}
