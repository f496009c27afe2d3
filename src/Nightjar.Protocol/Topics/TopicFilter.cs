using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Text;

namespace Nightjar.Protocol.Topics;

/// <summary>
/// A parsed topic filter (MQTT 5, 4.7 and 4.8.2): <c>+</c> and <c>#</c> alone in their level, <c>#</c> last, and
/// <c>$share/NAME/FILTER</c> taken apart. Equality is by text, ordinal. Immutable, safe from any thread; the default value
/// has an empty text and matches nothing.
/// </summary>
public readonly struct TopicFilter : IEquatable<TopicFilter>
{
    private const string SharePrefix = "$share/";

    private readonly string? _text;
    private readonly string? _pattern;
    private readonly byte[]? _patternUtf8;

    private TopicFilter(string text, string? shareName, string pattern)
    {
        _text = text;
        _pattern = pattern;
        _patternUtf8 = Encoding.UTF8.GetBytes(pattern);
        ShareName = shareName;
    }

    /// <summary>The filter as it was given and goes to the wire.</summary>
    public string Text => _text ?? "";

    /// <summary>The share name of a shared subscription; null otherwise.</summary>
    public string? ShareName { get; }

    /// <summary>What topics are matched against: <see cref="Text"/> without the <c>$share/NAME/</c>.</summary>
    public string Pattern => _pattern ?? "";

    /// <summary>Whether it starts with <c>$share/</c>.</summary>
    public bool IsShared => ShareName is not null;

    /// <summary>Whether the pattern has a wildcard.</summary>
    public bool HasWildcards => Pattern.AsSpan().ContainsAny('+', '#');

    internal ReadOnlySpan<byte> PatternUtf8 => _patternUtf8;

    /// <summary>Parses, or throws <see cref="ArgumentException"/>.</summary>
    public static TopicFilter Parse(string filter)
    {
        ArgumentNullException.ThrowIfNull(filter);
        return TryParse(filter, out var parsed, out var error) ? parsed : throw new ArgumentException(error, nameof(filter));
    }

    /// <summary>Parses; on failure <paramref name="error"/> says what is wrong, for people, with what to do.</summary>
    public static bool TryParse(string text, out TopicFilter filter, [NotNullWhen(false)] out string? error)
    {
        ArgumentNullException.ThrowIfNull(text);
        filter = default;
        error = TopicText.Check(text, "topic filter");
        if (error is not null)
        {
            return false;
        }

        string? shareName = null;
        var pattern = text;
        if (text.StartsWith(SharePrefix, StringComparison.Ordinal))
        {
            var end = text.IndexOf('/', SharePrefix.Length);
            error = CheckShare(text, end);
            if (error is not null)
            {
                return false;
            }

            shareName = text[SharePrefix.Length..end];
            pattern = text[(end + 1)..];
        }

        error = CheckWildcards(text, pattern);
        if (error is not null)
        {
            return false;
        }

        filter = new TopicFilter(text, shareName, pattern);
        return true;
    }

    /// <summary>Whether a topic matches: <c>#</c> also matches the parent level, and neither wildcard matches a leading <c>$</c> [MQTT5-4.7.2-1].</summary>
    /// <param name="topic">A topic name; an empty one matches nothing.</param>
    public bool Matches(string topic)
    {
        ArgumentNullException.ThrowIfNull(topic);
        return Matches(Pattern.AsSpan(), topic.AsSpan());
    }

    /// <summary>The same for UTF-8; allocates nothing.</summary>
    /// <param name="topicUtf8">A topic name; an empty one matches nothing.</param>
    public bool Matches(ReadOnlySpan<byte> topicUtf8) => Matches(_patternUtf8, topicUtf8);

    /// <summary>Whether every topic that the other filter's pattern matches is matched by this one's too; level by level, so <c>a/1/#</c> covers <c>a/1/x</c> and not <c>a/10/x</c>.</summary>
    internal bool Covers(in TopicFilter other)
    {
        var mine = Pattern.Split('/');

        // Alone it stands for one level at least.
        var theirs = other.Pattern == "#" ? ["+", "#"] : other.Pattern.Split('/');
        if (theirs[0] is ['$', ..] && mine[0] is "+" or "#")
        {
            return false;
        }

        for (var i = 0; i < mine.Length; i++)
        {
            if (mine[i] == "#")
            {
                return true;
            }

            if (i == theirs.Length || (mine[i] == "+" ? theirs[i] == "#" : !string.Equals(mine[i], theirs[i], StringComparison.Ordinal)))
            {
                return false;
            }
        }

        return mine.Length == theirs.Length;
    }

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

    private static string? CheckShare(string text, int end)
    {
        if (end < 0 || end == text.Length - 1)
        {
            return $"The topic filter '{TopicText.Quote(text)}' starts with $share/ but has no filter behind the share name; "
                + "write $share/NAME/FILTER [MQTT5-4.8.2-2].";
        }

        if (end == SharePrefix.Length)
        {
            return $"The topic filter '{TopicText.Quote(text)}' has an empty share name; write $share/NAME/FILTER [MQTT5-4.8.2-1].";
        }

        var wildcard = text.AsSpan(SharePrefix.Length, end - SharePrefix.Length).IndexOfAny('+', '#');
        return wildcard < 0
            ? null
            : $"The topic filter '{TopicText.Quote(text)}' has the wildcard '{text[SharePrefix.Length + wildcard]}' in its share name; "
                + "use wildcards only behind it [MQTT5-4.8.2-2].";
    }

    private static string? CheckWildcards(string text, string pattern)
    {
        for (var i = pattern.AsSpan().IndexOfAny('+', '#'); i >= 0 && i < pattern.Length; i++)
        {
            if (pattern[i] is not ('+' or '#'))
            {
                continue;
            }

            var alone = (i == 0 || pattern[i - 1] == '/') && (i + 1 == pattern.Length || pattern[i + 1] == '/');
            if (!alone)
            {
                return $"The topic filter '{TopicText.Quote(text)}' has '{pattern[i]}' beside other characters; a wildcard stands for a "
                    + $"whole level, alone between slashes [{(pattern[i] == '+' ? "MQTT5-4.7.1-2" : "MQTT5-4.7.1-1")}].";
            }

            if (pattern[i] == '#' && i + 1 != pattern.Length)
            {
                return $"The topic filter '{TopicText.Quote(text)}' goes on behind '#', which stands for all that follows; "
                    + "end it there, or use '+' for one level [MQTT5-4.7.1-1].";
            }
        }

        return null;
    }

    private static bool Matches<TUnit>(ReadOnlySpan<TUnit> pattern, ReadOnlySpan<TUnit> topic)
        where TUnit : unmanaged, IBinaryInteger<TUnit>
    {
        var slash = TUnit.CreateTruncating('/');
        var plus = TUnit.CreateTruncating('+');
        var hash = TUnit.CreateTruncating('#');
        if (topic.IsEmpty || pattern.IsEmpty || (topic[0] == TUnit.CreateTruncating('$') && (pattern[0] == plus || pattern[0] == hash)))
        {
            return false;
        }

        while (true)
        {
            if (pattern.Length == 1 && pattern[0] == hash)
            {
                return true;
            }

            var patternEnd = pattern.IndexOf(slash);
            var topicEnd = topic.IndexOf(slash);
            var wanted = patternEnd < 0 ? pattern : pattern[..patternEnd];
            var level = topicEnd < 0 ? topic : topic[..topicEnd];
            if (!(wanted.Length == 1 && wanted[0] == plus) && !wanted.SequenceEqual(level))
            {
                return false;
            }

            if (patternEnd < 0 || topicEnd < 0)
            {
                // "a/#" matches "a" too: the parent level (4.7.1.2).
                return patternEnd < 0 ? topicEnd < 0 : pattern.Length == patternEnd + 2 && pattern[^1] == hash;
            }

            pattern = pattern[(patternEnd + 1)..];
            topic = topic[(topicEnd + 1)..];
        }
    }
}
