namespace Nightjar.Protocol.Topics;

/// <summary>The rules of topic names (MQTT 5, 4.7): 1 to 65,535 bytes of UTF-8, no U+0000, no lone surrogate, no wildcard.</summary>
public static class TopicName
{
    /// <summary>Null if <paramref name="topic"/> is a topic name; else what is wrong, for people, with what to do.</summary>
    public static string? Validate(string topic)
    {
        ArgumentNullException.ThrowIfNull(topic);
        var error = TopicText.Check(topic, "topic name");
        if (error is not null)
        {
            return error;
        }

        var wildcard = topic.AsSpan().IndexOfAny('+', '#');
        return wildcard < 0
            ? null
            : $"The topic name '{TopicText.Quote(topic)}' has the wildcard '{topic[wildcard]}' at position {wildcard}; wildcards are for "
                + "subscriptions, a message goes to one topic [MQTT5-3.3.2-2].";
    }

    /// <summary>Throws <see cref="ArgumentException"/> with the message of <see cref="Validate"/>.</summary>
    public static void ThrowIfInvalid(string topic, string parameterName)
    {
        var error = Validate(topic);
        if (error is not null)
        {
            throw new ArgumentException(error, parameterName);
        }
    }

    /// <summary>Whether well-formed UTF-8 is a topic name (no wildcard, no U+0000, not empty); what the decoder asks.</summary>
    public static bool IsValid(ReadOnlySpan<byte> utf8) =>
        utf8.Length is > 0 and <= TopicText.MaximumLength && utf8.IndexOfAny((byte)0, (byte)'+', (byte)'#') < 0;
}
