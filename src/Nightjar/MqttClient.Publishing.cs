using System.Buffers;
using System.Text;

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
        return _host.Publish(topic, default, payload.Span, qos, retain, alias: 0, cancellationToken);
    }

    /// <inheritdoc cref="PublishAsync(string, ReadOnlyMemory{byte}, QoS, bool, CancellationToken)"/>
    public ValueTask<PublishResult> PublishAsync(
        string topic, ReadOnlySequence<byte> payload, QoS qos = QoS.AtLeastOnce, bool retain = false, CancellationToken cancellationToken = default)
    {
        ThrowIfInvalid(topic, qos);
        return Publish(topic, default, payload, qos, retain, alias: 0, cancellationToken);
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
            return _host.Publish(topic, default, rented.AsSpan(0, length), qos, retain, alias: 0, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Publishes a message with all that MQTT 5 can say about it.</summary>
    public ValueTask<PublishResult> PublishAsync(OutgoingMessage message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        ThrowIfInvalid(message.Topic, message.QoS);
        var alias = message.TopicAlias ?? 0;
        if (message.TopicAlias is 0)
        {
            throw new ArgumentException("TopicAlias is 0, which is none [MQTT5-3.3.2-8]; it must be from 1 to what the server allows, or null: then the client chooses.", nameof(message));
        }

        if (!message.HasProperties())
        {
            return Publish(message.Topic, default, message.Payload, message.QoS, message.Retain, alias, cancellationToken);
        }

        var properties = new ArrayBufferWriter<byte>();
        OutgoingProperties.Write(message, properties);
        return Publish(message.Topic, properties.WrittenSpan, message.Payload, message.QoS, message.Retain, alias, cancellationToken);
    }

    /// <summary>Publishes a copy of the span, which may be used again as soon as the call returns.</summary>
    public ValueTask<PublishResult> PublishCopyAsync(
        string topic, ReadOnlySpan<byte> payload, QoS qos = QoS.AtLeastOnce, bool retain = false, CancellationToken cancellationToken = default)
    {
        ThrowIfInvalid(topic, qos);
        return _host.Publish(topic, default, payload, qos, retain, alias: 0, cancellationToken);
    }

    /// <summary>Waits until all that was published before is handed to the transport.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) => _host.FlushAsync(cancellationToken);

    private static void ThrowIfInvalid(string topic, QoS qos)
    {
        ArgumentNullException.ThrowIfNull(topic);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((int)qos, (int)QoS.ExactlyOnce, nameof(qos));
    }

    private ValueTask<PublishResult> Publish(
        string topic, ReadOnlySpan<byte> properties, in ReadOnlySequence<byte> payload, QoS qos, bool retain, ushort alias, CancellationToken cancellationToken)
    {
        if (payload.IsSingleSegment)
        {
            return _host.Publish(topic, properties, payload.FirstSpan, qos, retain, alias, cancellationToken);
        }

        var length = checked((int)payload.Length);
        var rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            payload.CopyTo(rented);
            return _host.Publish(topic, properties, rented.AsSpan(0, length), qos, retain, alias, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }
}
