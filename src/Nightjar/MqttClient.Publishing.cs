using System.Buffers;
using System.Text;
using Nightjar.Connection;

namespace Nightjar;

// Publishing.
public sealed partial class MqttClient
{
    /// <summary>
    /// Publishes. QoS 0 completes when buffered, QoS 1 and 2 when the server has acknowledged. Cancelling ends the wait; before the first byte was
    /// sent it also withdraws the message. Throws <see cref="MqttRefusedException"/> if the server refuses it, <see cref="MqttLimitException"/> if a limit of the server forbids it.
    /// </summary>
    public ValueTask<PublishResult> PublishAsync(
        string topic, ReadOnlyMemory<byte> payload, QoS qos = QoS.AtLeastOnce, bool retain = false, CancellationToken cancellationToken = default)
    {
        ThrowIfInvalid(topic, qos);
        return _host.Publish(topic, default, payload.Span, new PublishTerms(qos, retain), cancellationToken);
    }

    /// <inheritdoc cref="PublishAsync(string, ReadOnlyMemory{byte}, QoS, bool, CancellationToken)"/>
    public ValueTask<PublishResult> PublishAsync(
        string topic, ReadOnlySequence<byte> payload, QoS qos = QoS.AtLeastOnce, bool retain = false, CancellationToken cancellationToken = default)
    {
        ThrowIfInvalid(topic, qos);
        return Publish(topic, default, payload, new PublishTerms(qos, retain), cancellationToken);
    }

    /// <summary>Publishes text as UTF-8; else as the overload for memory.</summary>
    public ValueTask<PublishResult> PublishAsync(
        string topic, string text, QoS qos = QoS.AtLeastOnce, bool retain = false, CancellationToken cancellationToken = default)
    {
        ThrowIfInvalid(topic, qos);
        ArgumentNullException.ThrowIfNull(text);
        var rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            var length = Encoding.UTF8.GetBytes(text, rented);
            return _host.Publish(topic, default, rented.AsSpan(0, length), new PublishTerms(qos, retain), cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Publishes a message with all that MQTT 5 can say about it.</summary>
    public ValueTask<PublishResult> PublishAsync(OutgoingMessage message, CancellationToken cancellationToken = default)
    {
        var terms = ToTerms(message);
        if (message.Id is not null)
        {
            return PublishOnceAsync(message, cancellationToken);
        }

        if (!message.HasProperties())
        {
            return Publish(message.Topic, default, message.Payload, terms, cancellationToken);
        }

        var properties = new ArrayBufferWriter<byte>();
        OutgoingProperties.Write(message, properties);
        return Publish(message.Topic, properties.WrittenSpan, message.Payload, terms, cancellationToken);
    }

    /// <summary>
    /// Publishes <paramref name="length"/> bytes of a stream, from where it stands. Room for all of them is taken in the outbox first (<see cref="OutboxOptions.MaximumBytes"/> must allow for it), then they are
    /// read into it, once and with no other copy, and the message takes its place behind what was published until then. The stream is not closed, and not touched any more when the call has ended.
    /// </summary>
    /// <param name="topic">A topic name.</param>
    /// <param name="payload">Readable.</param>
    /// <param name="length">0 to 268,435,455: how much to read.</param>
    /// <param name="qos">Default: 1.</param>
    /// <param name="retain">Whether the server keeps it. Default: false.</param>
    /// <param name="cancellationToken">Ends the wait; before the message is sent it also withdraws it.</param>
    /// <exception cref="EndOfStreamException">The stream has fewer bytes; nothing was sent.</exception>
    public ValueTask<PublishResult> PublishAsync(
        string topic, Stream payload, int length, QoS qos = QoS.AtLeastOnce, bool retain = false, CancellationToken cancellationToken = default)
    {
        ThrowIfInvalid(topic, qos);
        ArgumentNullException.ThrowIfNull(payload);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, LargestPayload);
        return _host.PublishAsync(topic, default, payload, length, new PublishTerms(qos, retain), cancellationToken);
    }

    /// <summary>Publishes a copy of the span, which may be used again as soon as the call returns.</summary>
    public ValueTask<PublishResult> PublishCopyAsync(
        string topic, ReadOnlySpan<byte> payload, QoS qos = QoS.AtLeastOnce, bool retain = false, CancellationToken cancellationToken = default)
    {
        ThrowIfInvalid(topic, qos);
        return _host.Publish(topic, default, payload, new PublishTerms(qos, retain), cancellationToken);
    }

    /// <summary>Waits until all that was published before is handed to the transport.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => _host.FlushAsync(cancellationToken);

    // What a Remaining Length can say (2.1.4).
    private const int LargestPayload = 268_435_455;

    private static void ThrowIfInvalid(string topic, QoS qos)
    {
        ArgumentNullException.ThrowIfNull(topic);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)qos, (int)QoS.ExactlyOnce, nameof(qos));
    }

    private ValueTask<PublishResult> Publish(
        string topic, ReadOnlySpan<byte> properties, in ReadOnlySequence<byte> payload, in PublishTerms terms, CancellationToken cancellationToken)
    {
        if (payload.IsSingleSegment)
        {
            return _host.Publish(topic, properties, payload.FirstSpan, terms, cancellationToken);
        }

        var length = checked((int)payload.Length);
        var rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            payload.CopyTo(rented);
            return _host.Publish(topic, properties, rented.AsSpan(0, length), terms, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
