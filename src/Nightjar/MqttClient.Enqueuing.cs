using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Nightjar.Connection;
using Nightjar.Protocol.Engine;

namespace Nightjar;

// Messages with receipts.
public sealed partial class MqttClient
{
    /// <summary>
    /// Puts a message into the outbox and returns its receipt, which says later what became of it. Ends when the message is admitted and, with a store, as safe as the store makes it: it does not
    /// wait for the server. Waits for room where <see cref="OutboxOptions.Overflow"/> says so; cancelling then leaves the line. What the outbox does not take at all is an exception.
    /// </summary>
    /// <remarks>A message whose <see cref="OutgoingMessage.Id"/> is pending or was delivered is not sent again: the receipt is that of the first. Cancelling while the store is waited for ends the wait alone.</remarks>
    /// <exception cref="MqttOutboxFullException">There is no room, and <see cref="OutboxOptions.Overflow"/> is not to wait for it; or the message is larger than the whole outbox.</exception>
    /// <exception cref="MqttDroppedException">There is no room, and <see cref="OutboxOptions.Overflow"/> is <see cref="OutboxOverflow.DropNewest"/>.</exception>
    /// <exception cref="MqttOfflineException">There is no connection, and the message is not to wait for one.</exception>
    public ValueTask<DeliveryReceipt> EnqueueAsync(OutgoingMessage message, CancellationToken cancellationToken = default) =>
        Enqueue(message, mayWait: true, cancellationToken)!;

    /// <inheritdoc cref="EnqueueAsync(OutgoingMessage, CancellationToken)"/>
    public ValueTask<DeliveryReceipt> EnqueueAsync(
        string topic, ReadOnlyMemory<byte> payload, QoS qos = QoS.AtLeastOnce, bool retain = false, CancellationToken cancellationToken = default)
    {
        ThrowIfInvalid(topic, qos);
        return _host.Enqueue(topic, default, payload.Span, new PublishTerms(qos, retain), id: null, mayWait: true, cancellationToken)!;
    }

    /// <summary>Text, as UTF-8; else as <see cref="EnqueueAsync(OutgoingMessage, CancellationToken)"/>.</summary>
    public ValueTask<DeliveryReceipt> EnqueueAsync(string topic, string text, QoS qos = QoS.AtLeastOnce, bool retain = false, CancellationToken cancellationToken = default)
    {
        ThrowIfInvalid(topic, qos);
        ArgumentNullException.ThrowIfNull(text);
        var rented = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            var length = Encoding.UTF8.GetBytes(text, rented);
            return _host.Enqueue(topic, default, rented.AsSpan(0, length), new PublishTerms(qos, retain), id: null, mayWait: true, cancellationToken)!;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>
    /// As <see cref="EnqueueAsync(OutgoingMessage, CancellationToken)"/>, but never waits, neither for room nor for a store (<see cref="DeliveryReceipt.Stored"/> does). False: the outbox does not take the
    /// message now; it has no room, the store is not open yet, or there is no connection and the message is not to wait for one.
    /// </summary>
    /// <exception cref="MqttOutboxFullException">The message is larger than the whole outbox and will never find room.</exception>
    public bool TryEnqueue(OutgoingMessage message, [NotNullWhen(true)] out DeliveryReceipt? receipt)
    {
        var task = Enqueue(message, mayWait: false, CancellationToken.None);
        receipt = task.IsCompleted ? task.GetAwaiter().GetResult() : throw new InvalidOperationException("It never waits.");
        return receipt is not null;
    }

    /// <summary>
    /// The receipt of the message with this identifier (<see cref="OutgoingMessage.Id"/>), if it is pending or among the last that were delivered; with a store also of an earlier process, once it is open (<see cref="OpenAsync"/>).
    /// Null: there is none, or it ended otherwise.
    /// </summary>
    public DeliveryReceipt? FindReceipt(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        ThrowIfInvalidId(id, nameof(id));
        return _host.FindReceipt(id);
    }

    /// <summary>
    /// Waits until nothing is queued or in flight: all that was published has been answered, QoS 0 handed to the transport, and nobody waits for room. What is published meanwhile is waited for too. What was
    /// sent before and cannot be sent again on this connection (<see cref="ClientStatus.Quarantined"/>) is not: only another connection could change that. Cancelling ends the wait alone. Faults if the client is
    /// closed, or gives up.
    /// </summary>
    public Task DrainAsync(CancellationToken cancellationToken = default) => _host.DrainAsync(cancellationToken);

    private ValueTask<DeliveryReceipt?> Enqueue(OutgoingMessage message, bool mayWait, CancellationToken cancellationToken)
    {
        var terms = ToTerms(message);
        var properties = new ArrayBufferWriter<byte>(initialCapacity: 1);
        if (message.HasProperties())
        {
            OutgoingProperties.Write(message, properties);
        }

        if (message.Payload.IsSingleSegment)
        {
            return _host.Enqueue(message.Topic, properties.WrittenSpan, message.Payload.FirstSpan, terms, message.Id, mayWait, cancellationToken);
        }

        var length = checked((int)message.Payload.Length);
        var rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            message.Payload.CopyTo(rented);
            return _host.Enqueue(message.Topic, properties.WrittenSpan, rented.AsSpan(0, length), terms, message.Id, mayWait, cancellationToken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>With an identifier it is enqueued, or found, and then waited for.</summary>
    private async ValueTask<PublishResult> PublishOnceAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        var known = _host.FindReceipt(message.Id!) is not null;
        var receipt = (await Enqueue(message, mayWait: true, cancellationToken).ConfigureAwait(false))!;
        try
        {
            var timeout = _host.Options.Outbox.PublishTimeout;
            return await receipt.Acknowledged.WaitAsync(timeout, _host.Options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new MqttTimeoutException("The wait for this publish is over (OutboxOptions.PublishTimeout); the message itself is still on its way.");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested && !known)
        {
            receipt.Withdraw();
            throw;
        }
    }

    private static PublishTerms ToTerms(OutgoingMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        ThrowIfInvalid(message.Topic, message.QoS);
        if (message.TopicAlias is 0)
        {
            throw new ArgumentException("TopicAlias is 0, which is none [MQTT5-3.3.2-8]; it must be from 1 to what the server allows, or null: then the client chooses.", nameof(message));
        }

        if (message.Id is { } id)
        {
            ThrowIfInvalidId(id, nameof(message));
        }

        if (message.WhenOffline is { } whenOffline && (!Enum.IsDefined(whenOffline) || (whenOffline == WhenOffline.Drop && message.QoS != QoS.AtMostOnce)))
        {
            throw new ArgumentException($"WhenOffline is {whenOffline} and QoS {(int)message.QoS}; it must be Queue or Fail, or with QoS 0 Drop.", nameof(message));
        }

        return new PublishTerms(message.QoS, message.Retain, message.TopicAlias ?? 0, message.TimeToLive?.Ticks ?? 0, message.WhenOffline);
    }

    private static void ThrowIfInvalidId(string id, string parameterName)
    {
        if (id.Length is 0 or > ApplicationIds.MaximumLength || Encoding.UTF8.GetByteCount(id) > ApplicationIds.MaximumLength)
        {
            throw new ArgumentException($"Id has {Encoding.UTF8.GetByteCount(id)} bytes of UTF-8; it must have 1 to {ApplicationIds.MaximumLength}.", parameterName);
        }
    }
}
