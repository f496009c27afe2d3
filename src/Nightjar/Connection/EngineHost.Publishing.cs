using System.Text;
using System.Text.Unicode;
using Nightjar.Diagnostics;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Topics;

namespace Nightjar.Connection;

// Publishing.
internal sealed partial class EngineHost
{
    /// <summary>Publishes; the spans are read during the call. <paramref name="payload"/> is copied.</summary>
    public ValueTask<PublishResult> Publish(
        string topic, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> payload, QoS qos, bool retain, ushort alias, CancellationToken cancellationToken)
    {
        // Three bytes of UTF-8 for each char at the most; a topic that long is rare.
        const int OnTheStack = 384;
        var longest = Encoding.UTF8.GetMaxByteCount(topic.Length);
        Span<byte> utf8 = longest <= OnTheStack ? stackalloc byte[OnTheStack] : new byte[longest];
        if (Utf8.FromUtf16(topic, utf8, out _, out var length, replaceInvalidSequences: false) != System.Buffers.OperationStatus.Done
            || !TopicName.IsValid(utf8[..length]))
        {
            TopicName.ThrowIfInvalid(topic, nameof(topic));
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<PublishResult>(cancellationToken);
        }

        return Publish(
            new OutgoingPublish
            {
                Topic = utf8[..length],
                Properties = properties,
                Payload = payload,
                QoS = qos,
                Retain = retain,
                TopicAlias = alias,
            },
            cancellationToken);
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken) => _durable is { IsReady: false } durable
        ? new ValueTask(durable.InTurn(() => DoAsync(FlushNowAsync(cancellationToken).AsTask()), cancellationToken))
        : FlushNowAsync(cancellationToken);

    private async ValueTask FlushNowAsync(CancellationToken cancellationToken)
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (_gate.Enter())
        {
            ThrowIfClosed();
            if (_engine.Outbound.Flush(waiter))
            {
                return;
            }
        }

        await waiter.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The waiter's token was cancelled. True: the wait was still on, and is the caller's to end.</summary>
    public bool Withdraw(PublishWaiter waiter)
    {
        using (_gate.Enter())
        {
            return _engine.Outbound.Withdraw(waiter.Ticket, waiter, out _);
        }
    }

    private ValueTask<PublishResult> Publish(in OutgoingPublish message, CancellationToken cancellationToken) =>
        _durable is { IsReady: false } durable ? PublishInTurn(durable, message, cancellationToken) : PublishNow(message, cancellationToken);

    /// <summary>Apart from the above, which does not pay for its closure.</summary>
    private ValueTask<PublishResult> PublishInTurn(DurableSession durable, in OutgoingPublish message, CancellationToken cancellationToken)
    {
        var copy = new PublishCopy(message);
        return new ValueTask<PublishResult>(durable.InTurn(() => PublishNow(copy.Message, cancellationToken), cancellationToken));
    }

    private ValueTask<PublishResult> PublishNow(in OutgoingPublish message, CancellationToken cancellationToken) =>
        Telemetry.WatchesPublishing ? PublishWatched(message, cancellationToken) : Publish(message, watch: null, cancellationToken);

    private ValueTask<PublishResult> PublishWatched(in OutgoingPublish message, CancellationToken cancellationToken)
    {
        var properties = message.Properties;
        var watch = Telemetry.StartPublish(message.Topic, message.Payload.Length, message.QoS, ref properties);
        try
        {
            return Publish(message.With(properties), watch, cancellationToken);
        }
        catch (Exception error)
        {
            watch.End(error);
            throw;
        }
    }

    private ValueTask<PublishResult> Publish(in OutgoingPublish message, PublishWatch? watch, CancellationToken cancellationToken)
    {
        PublishWaiter? waiter = null;
        ValueTask<PublishResult> task = default;
        SendLimit? refusal = null;
        var start = PublishStart.Accepted;
        using (_gate.Enter())
        {
            ThrowIfClosed();
            if (message.QoS == QoS.AtMostOnce)
            {
                start = _engine.TryBuffer(message, out refusal);
            }

            if (start == PublishStart.Accepted)
            {
                waiter = _waiters.Rent();
                task = waiter.Task;
                waiter.Watch = watch;
                waiter.Ticket = _engine.Accept(message, waiter, _gate.Now());
            }
        }

        waiter?.ListenTo(cancellationToken);
        if (refusal is { } limit)
        {
            var error = new MqttLimitException(limit.Message) { ReasonCode = limit.ReasonCode };
            watch?.End(error);
            return ValueTask.FromException<PublishResult>(error);
        }

        if (waiter is null)
        {
            watch?.End(ReasonCode.Success);
        }

        return waiter is null ? new ValueTask<PublishResult>(default(PublishResult)) : task;
    }
}
