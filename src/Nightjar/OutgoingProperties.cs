using System.Buffers;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Topics;

namespace Nightjar;

/// <summary>
/// The MQTT 5 property section of a message that is to be published (3.3.2.3). The topic alias is no part of it: it belongs to the connection, not to the message.
/// </summary>
internal static class OutgoingProperties
{
    /// <summary>Whether <see cref="Write"/> would write anything; most messages have no property and cost no more than this.</summary>
    public static bool HasProperties(this OutgoingMessage message) =>
        message.TimeToLive is not null || message.PayloadFormat is not null || message.ContentType is not null || message.ResponseTopic is not null
        || message.CorrelationData is not null || message.UserProperties is { Count: > 0 };

    /// <summary>
    /// Writes the section without its length. Throws one <see cref="ArgumentException"/> that lists everything that cannot be sent; what was written until then is to
    /// be thrown away.
    /// </summary>
    public static void Write(OutgoingMessage message, IBufferWriter<byte> output)
    {
        try
        {
            WriteAll(message, new PropertyWriter(output));
        }
        catch (ArgumentException)
        {
            ThrowConflicts(message);
            throw;
        }
    }

    private static void WriteAll(OutgoingMessage message, PropertyWriter writer)
    {
        // First, where the outbox finds it to count it down.
        if (message.TimeToLive is { } timeToLive)
        {
            writer.Write(PropertyId.MessageExpiryInterval, WholeSeconds(timeToLive) ?? throw new ArgumentException("No time to live.", nameof(message)));
        }

        if (message.PayloadFormat is { } format)
        {
            writer.Write(PropertyId.PayloadFormatIndicator, (uint)format);
        }

        if (message.ContentType is { } contentType)
        {
            writer.Write(PropertyId.ContentType, contentType);
        }

        if (message.ResponseTopic is { } responseTopic)
        {
            TopicName.ThrowIfInvalid(responseTopic, nameof(message));
            writer.Write(PropertyId.ResponseTopic, responseTopic);
        }

        if (message.CorrelationData is { } correlationData)
        {
            writer.Write(PropertyId.CorrelationData, correlationData.Span);
        }

        foreach (var property in message.UserProperties ?? [])
        {
            writer.Write(property is { Name: not null, Value: not null } ? property : throw new ArgumentException("No user property.", nameof(message)));
        }
    }

    /// <summary>Rounded up: a message may live a little longer than asked for, but none is sent as expired that is not. Null if the wire cannot say it.</summary>
    private static uint? WholeSeconds(TimeSpan time)
    {
        var seconds = (time.Ticks / TimeSpan.TicksPerSecond) + (time.Ticks % TimeSpan.TicksPerSecond > 0 ? 1 : 0);
        return time >= TimeSpan.Zero && seconds <= uint.MaxValue ? (uint)seconds : null;
    }

    // Writing stops at the first fault and knows only the wire's words for it; this knows them all by the names that the caller used.
    private static void ThrowConflicts(OutgoingMessage message)
    {
        var conflicts = new OptionConflicts();
        conflicts.Defined("PayloadFormat", message.PayloadFormat ?? PayloadFormat.Unspecified);
        conflicts.Require(
            message.TimeToLive is not { } timeToLive || WholeSeconds(timeToLive) is not null,
            $"TimeToLive is {message.TimeToLive}; it must be from zero to {uint.MaxValue} seconds, or null for a message that never expires.");
        conflicts.Utf8("ContentType", message.ContentType);
        conflicts.Binary("CorrelationData", message.CorrelationData);
        conflicts.UserProperties("UserProperties", message.UserProperties ?? []);
        if (message.ResponseTopic is { } responseTopic)
        {
            conflicts.Topic("ResponseTopic", responseTopic);
        }

        conflicts.ThrowIfAny("This message cannot be sent", nameof(message));
    }
}
