namespace Nightjar.Protocol.Topics;

/// <summary>The rules of topic names (MQTT 5, 4.7): 1 to 65,535 bytes of UTF-8, no U+0000, no lone surrogate, no wildcard.</summary>
public static class TopicName
{
    /// <summary>Null if <paramref name="topic"/> is a topic name; else what is wrong, for people, with what to do.</summary>
    public static string? Validate(string topic) => throw new NotSupportedException("skeleton");

    /// <summary>Throws <see cref="ArgumentException"/> with the message of <see cref="Validate"/>.</summary>
    public static void ThrowIfInvalid(string topic, string parameterName) => throw new NotSupportedException("skeleton");

    /// <summary>Whether well-formed UTF-8 is a topic name (no wildcard, no U+0000, not empty); what the decoder asks.</summary>
    public static bool IsValid(ReadOnlySpan<byte> utf8) => throw new NotSupportedException("skeleton");
}
