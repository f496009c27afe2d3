using System.Globalization;
using Nightjar.Protocol.Topics;

namespace Nightjar.Cli.CommandLine;

/// <summary>Reads the values of flags; what cannot be read is a <see cref="UsageException"/> that names the flag and what it takes.</summary>
internal static class FlagValue
{
    /// <summary>A whole number.</summary>
    public static int Integer(string flag, string text, int minimum, int maximum) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= minimum && value <= maximum
            ? value
            : throw new UsageException(maximum == int.MaxValue
                ? $"{flag} takes a whole number from {minimum}, not '{text}'."
                : $"{flag} takes a whole number from {minimum} to {maximum}, not '{text}'.");

    /// <summary>A number with or without a fraction.</summary>
    public static double Number(string flag, string text, double minimum, double maximum) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= minimum && value <= maximum
            ? value
            : throw new UsageException($"{flag} takes a number from {minimum} to {maximum}, not '{text}'.");

    /// <summary>0, 1 or 2.</summary>
    public static QoS QoS(string flag, string text) => (QoS)Integer(flag, text, 0, 2);

    /// <summary>A topic to publish to.</summary>
    public static string Topic(string flag, string text) =>
        TopicName.Validate(text) is { } error ? throw new UsageException($"{flag}: invalid topic '{text}': {error}") : text;

    /// <summary>A filter to subscribe with.</summary>
    public static TopicFilter Filter(string flag, string text) =>
        TopicFilter.TryParse(text, out var filter, out var error) ? filter : throw new UsageException($"{flag}: invalid filter '{text}': {error}");

    /// <summary>Seconds until a session expires; <c>-1</c>, <c>4294967295</c> and <c>∞</c> mean never.</summary>
    public static TimeSpan SessionExpiry(string flag, string text)
    {
        if (text is "∞" or "-1")
        {
            return Timeout.InfiniteTimeSpan;
        }

        return uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? seconds == uint.MaxValue ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(seconds)
            : throw new UsageException($"{flag} takes seconds from 0 to 4294967294, or -1 for a session that does not expire, not '{text}'.");
    }
}
