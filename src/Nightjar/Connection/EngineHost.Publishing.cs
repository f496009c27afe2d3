using System.Text;
using System.Text.Unicode;
using Nightjar.Diagnostics;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Topics;

namespace Nightjar.Connection;

// Publishing.
internal sealed partial class EngineHost
{
    // Three bytes of UTF-8 for each char at the most; a topic that long is rare.
    private const int TopicOnTheStack = 384;

    /// <summary>Publishes; the spans are read during the call. <paramref name="payload"/> is copied.</summary>
    public ValueTask<PublishResult> Publish(
        string topic, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> payload, in PublishTerms terms, CancellationToken cancellationToken)
    {
        var longest = Encoding.UTF8.GetMaxByteCount(topic.Length);
        Span<byte> utf8 = longest <= TopicOnTheStack ? stackalloc byte[TopicOnTheStack] : new byte[longest];
        var bytes = ToTopic(topic, utf8);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<PublishResult>(cancellationToken);
        }

        return Publish(
            new OutgoingPublish
            {
                Topic = bytes,
                Properties = properties,
                Payload = payload,
                QoS = terms.QoS,
                Retain = terms.Retain,
                TopicAlias = terms.Alias,
                TimeToLive = terms.TimeToLive,
            },
            WhenOfflineFor(terms),
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
            if (waiter.Room is not { } room)
            {
                return _engine.Outbound.Withdraw(waiter.Ticket, waiter, out _);
            }

            waiter.Room = null;
            return _engine.Outbound.WithdrawRequest(room.Request!);
        }
    }

    /// <summary>A valid topic name as UTF-8; throws if it is none.</summary>
    private static ReadOnlySpan<byte> ToTopic(string topic, Span<byte> utf8)
    {
        if (Utf8.FromUtf16(topic, utf8, out _, out var length, replaceInvalidSequences: false) != System.Buffers.OperationStatus.Done
            || !TopicName.IsValid(utf8[..length]))
        {
            TopicName.ThrowIfInvalid(topic, nameof(topic));
        }

        return utf8[..length];
    }

    private ValueTask<PublishResult> Publish(in OutgoingPublish message, WhenOffline whenOffline, CancellationToken cancellationToken) =>
        _durable is { IsReady: false } durable ? PublishInTurn(durable, message, whenOffline, cancellationToken) : PublishNow(message, whenOffline, cancellationToken);

    /// <summary>Apart from the above, which does not pay for its closure.</summary>
    private ValueTask<PublishResult> PublishInTurn(DurableSession durable, in OutgoingPublish message, WhenOffline whenOffline, CancellationToken cancellationToken)
    {
        var copy = new PublishCopy(message);
        return new ValueTask<PublishResult>(durable.InTurn(() => PublishNow(copy.Message, whenOffline, cancellationToken), cancellationToken));
    }

    private ValueTask<PublishResult> PublishNow(in OutgoingPublish message, WhenOffline whenOffline, CancellationToken cancellationToken) =>
        Telemetry.WatchesPublishing ? PublishWatched(message, whenOffline, cancellationToken) : Publish(message, whenOffline, watch: null, cancellationToken);

    private ValueTask<PublishResult> PublishWatched(in OutgoingPublish message, WhenOffline whenOffline, CancellationToken cancellationToken)
    {
        var properties = message.Properties;
        var watch = Telemetry.StartPublish(message.Topic, message.Payload.Length, message.QoS, ref properties);
        try
        {
            return Publish(message.With(properties), whenOffline, watch, cancellationToken);
        }
        catch (Exception error)
        {
            watch.End(error);
            throw;
        }
    }

    private ValueTask<PublishResult> Publish(in OutgoingPublish message, WhenOffline whenOffline, PublishWatch? watch, CancellationToken cancellationToken)
    {
        PublishWaiter? waiter = null;
        ValueTask<PublishResult> task = default;
        SendLimit? limit = null;
        Exception? refusal = null;
        var flags = PublishFlags.None;
        var start = PublishStart.Accepted;
        using (_gate.Enter())
        {
            ThrowIfClosed();
            if (message.QoS == QoS.AtMostOnce)
            {
                start = _engine.TryBuffer(message, out limit);
            }

            if (start == PublishStart.Accepted)
            {
                var now = _gate.Now();
                var admission = _engine.Admit(message, whenOffline, now);
                if (admission is OutboxAdmission.Admitted or OutboxAdmission.MustWait)
                {
                    waiter = _waiters.Rent();
                    task = waiter.Task;
                    waiter.Watch = watch;
                    if (admission == OutboxAdmission.Admitted)
                    {
                        waiter.Ticket = _engine.Accept(message, waiter, now);
                    }
                    else
                    {
                        WaitForRoom(message, waiter, now);
                    }
                }
                else
                {
                    refusal = Refusal(admission, message.Length);
                    flags = PublishFlags.Dropped;
                }
            }
        }

        waiter?.ListenTo(cancellationToken);
        if (limit is { } exceeded)
        {
            refusal = new MqttLimitException(exceeded.Message) { ReasonCode = exceeded.ReasonCode };
        }

        if (refusal is not null)
        {
            watch?.End(refusal);
            return ValueTask.FromException<PublishResult>(refusal);
        }

        if (waiter is null)
        {
            watch?.End(ReasonCode.Success);
        }

        return waiter is null ? new ValueTask<PublishResult>(new PublishResult(ReasonCode.Success, PacketId: 0, flags)) : task;
    }

    private void WaitForRoom(in OutgoingPublish message, PublishWaiter waiter, long now)
    {
        waiter.Room = new RoomWaiter(message) { Publisher = waiter };
        waiter.Room.Request = _engine.Outbound.WaitForRoom(waiter.Room, message, now);
    }
}
