using System.Text;
using Nightjar.Protocol.Engine;

namespace Nightjar.Connection;

// Messages with receipts, and who waits for room or for the end of all of them.
internal sealed partial class EngineHost
{
    /// <summary>For receipts, which look and act for themselves.</summary>
    public EngineGate Gate => _gate;

    /// <summary>Enqueues; the spans are read during the call. With <paramref name="mayWait"/> the caller waits for room and for the store; else the result is null where that would be needed.</summary>
    public ValueTask<DeliveryReceipt?> Enqueue(
        string topic, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> payload, in PublishTerms terms, string? id, bool mayWait, CancellationToken cancellationToken)
    {
        var longest = Encoding.UTF8.GetMaxByteCount(topic.Length);
        Span<byte> utf8 = longest <= TopicOnTheStack ? stackalloc byte[TopicOnTheStack] : new byte[longest];
        var topicBytes = ToTopic(topic, utf8);
        Span<byte> idBytes = stackalloc byte[ApplicationIds.MaximumLength];
        idBytes = idBytes[..(id is null ? 0 : Encoding.UTF8.GetBytes(id, idBytes))];
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<DeliveryReceipt?>(cancellationToken);
        }

        var watch = Telemetry.WatchesPublishing ? Telemetry.StartPublish(topicBytes, payload.Length, terms.QoS, ref properties) : null;
        var message = ToMessage(topicBytes, properties, payload, terms, idBytes);
        try
        {
            var task = _durable is { IsReady: false } durable
                ? EnqueueInTurn(durable, message, WhenOfflineFor(terms), id, mayWait, cancellationToken)
                : Enqueue(message, WhenOfflineFor(terms), id, mayWait, cancellationToken);
            watch?.End(ReasonCode.Success);
            return task;
        }
        catch (Exception error)
        {
            watch?.End(error);
            throw;
        }
    }

    /// <summary>What is not to wait begins the opening of the store, and is not taken.</summary>
    private ValueTask<DeliveryReceipt?> EnqueueInTurn(
        DurableSession durable, in OutgoingPublish message, WhenOffline whenOffline, string? id, bool mayWait, CancellationToken cancellationToken)
    {
        if (!mayWait)
        {
            durable.Begin();
            return default;
        }

        var copy = new PublishCopy(message);
        return new ValueTask<DeliveryReceipt?>(durable.InTurn(() => Enqueue(copy.Message, whenOffline, id, mayWait: true, cancellationToken), cancellationToken));
    }

    /// <summary>The receipt of the message that has this identifier already, or that of this one, which is let in; under the gate.</summary>
    public DeliveryReceipt FindOrAccept(in OutgoingPublish message, string? id, long now)
    {
        if (id is not null && Find(message.Id, id) is { } existing)
        {
            return existing;
        }

        var receipt = new DeliveryReceipt(this, id);
        var ticket = _engine.Accept(message, receipt, now);

        // It may have left already, and at a lowered QoS even have ended; then it hears of that next, in the same entry.
        receipt.Follow(ticket.Handle, !_engine.Outbound.IsCurrent(ticket) || _engine.Outbound.IsStored(ticket.Handle), isSent: false);
        return receipt;
    }

    public DeliveryReceipt? FindReceipt(string id)
    {
        Span<byte> bytes = stackalloc byte[ApplicationIds.MaximumLength];
        bytes = bytes[..Encoding.UTF8.GetBytes(id, bytes)];
        using (_gate.Enter())
        {
            return Find(bytes, id);
        }
    }

    /// <summary>The caller does not wait for room any more. False: it has it, or its wait ended otherwise.</summary>
    public bool WithdrawRequest(RoomWaiter waiter)
    {
        using (_gate.Enter())
        {
            return waiter.Request is { } request && _engine.Outbound.WithdrawRequest(request);
        }
    }

    public Task DrainAsync(CancellationToken cancellationToken) => _durable is { IsReady: false } durable
        ? durable.InTurn(() => new ValueTask<bool>(DrainNowAsync(cancellationToken)), cancellationToken)
        : DrainNowAsync(cancellationToken);

    private async Task<bool> DrainNowAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (_gate.Enter())
        {
            ThrowIfClosed();
            if (_engine.Outbound.Drain(waiter))
            {
                return true;
            }

            _engine.AwaitPending(_gate.Now());
        }

        try
        {
            await waiter.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            using (_gate.Enter())
            {
                _engine.Outbound.WithdrawDrain(waiter);
            }

            throw;
        }
    }

    private WhenOffline WhenOfflineFor(in PublishTerms terms) =>
        terms.WhenOffline ?? (terms.QoS == QoS.AtMostOnce ? Options.Outbox.AtMostOnceWhenOffline : Options.Outbox.WhenOffline);

    private static OutgoingPublish ToMessage(
        ReadOnlySpan<byte> topic, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> payload, in PublishTerms terms, ReadOnlySpan<byte> id) => new()
        {
            Topic = topic,
            Properties = properties,
            Payload = payload,
            QoS = terms.QoS,
            Retain = terms.Retain,
            TopicAlias = terms.Alias,
            TimeToLive = terms.TimeToLive,
            Id = id,
            HasReceipt = true,
        };

    private ValueTask<DeliveryReceipt?> Enqueue(in OutgoingPublish message, WhenOffline whenOffline, string? id, bool mayWait, CancellationToken cancellationToken)
    {
        DeliveryReceipt? receipt = null;
        RoomWaiter? waiter = null;
        StoreWaiter? storing = null;
        Exception? refusal = null;
        using (_gate.Enter())
        {
            ThrowIfClosed();
            var now = _gate.Now();
            receipt = id is null ? null : Find(message.Id, id);
            if (receipt is { IsEnded: false })
            {
                _engine.AwaitPending(now);
            }

            if (receipt is null)
            {
                switch (_engine.Admit(message, whenOffline, now))
                {
                    case OutboxAdmission.Admitted:
                        receipt = FindOrAccept(message, id, now);
                        break;
                    case OutboxAdmission.MustWait when mayWait:
                        waiter = new RoomWaiter(message) { Enqueuer = new TaskCompletionSource<DeliveryReceipt>(TaskCreationOptions.RunContinuationsAsynchronously), Id = id };
                        waiter.Request = _engine.Outbound.WaitForRoom(waiter, message, now);
                        break;
                    case OutboxAdmission.DroppedOffline:
                        receipt = new DeliveryReceipt(this, id);
                        receipt.End(DeliveryState.Dropped, default, Failure.ToDroppedException(MessageDropReason.Offline));
                        break;
                    case var admission:
                        refusal = Refusal(admission, message.Length);
                        break;
                }
            }

            storing = mayWait ? receipt?.WaitForStore() : null;
        }

        if (refusal is not null)
        {
            return mayWait || refusal is MqttOutboxFullException { IsTransient: false } ? ValueTask.FromException<DeliveryReceipt?>(refusal) : default;
        }

        if (waiter is not null)
        {
            return WaitForRoomAsync(waiter, cancellationToken);
        }

        return Wait(receipt, storing, cancellationToken);
    }

    private Exception? Refusal(OutboxAdmission admission, int length) => Failure.ToException(admission, Options.Outbox, length, _engine.State, ServerName);

    private async ValueTask<DeliveryReceipt?> WaitForRoomAsync(RoomWaiter waiter, CancellationToken cancellationToken)
    {
        DeliveryReceipt receipt;
        await using (cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                var (host, waiter) = ((EngineHost, RoomWaiter))state!;
                if (host.WithdrawRequest(waiter))
                {
                    waiter.Enqueuer!.TrySetCanceled(token);
                }
            },
            (this, waiter)).ConfigureAwait(false))
        {
            receipt = await waiter.Enqueuer!.Task.ConfigureAwait(false);
        }

        StoreWaiter? storing;
        using (_gate.Enter())
        {
            storing = receipt.WaitForStore();
        }

        return await Wait(receipt, storing, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whatever becomes of the message, its receipt says it; this waits only until it is safe.</summary>
    private static ValueTask<DeliveryReceipt?> Wait(DeliveryReceipt? receipt, StoreWaiter? storing, CancellationToken cancellationToken)
    {
        if (storing is null)
        {
            return new ValueTask<DeliveryReceipt?>(receipt);
        }

        var task = storing.Task;
        storing.ListenTo(cancellationToken);
        return task;
    }

    /// <summary>The receipt of the message that has this identifier, pending or delivered; under the gate.</summary>
    private DeliveryReceipt? Find(ReadOnlySpan<byte> bytes, string id)
    {
        var outbound = _engine.Outbound;
        if (!outbound.TryFind(bytes, out var known))
        {
            return null;
        }

        if (known.IsPending && outbound.WaiterOf(known.Handle) is DeliveryReceipt existing)
        {
            return existing;
        }

        var receipt = new DeliveryReceipt(this, id);
        if (known.IsPending)
        {
            receipt.Follow(known.Handle, outbound.IsStored(known.Handle), outbound.IsHanded(known.Handle));
            outbound.Attach(known.Handle, receipt);
        }
        else
        {
            receipt.End(DeliveryState.Delivered, new PublishResult(known.ReasonCode, known.PacketId, known.Flags), failure: null);
        }

        return receipt;
    }
}
