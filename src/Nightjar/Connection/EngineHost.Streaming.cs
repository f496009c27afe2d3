using System.Buffers;
using System.Text;
using Nightjar.Protocol.Engine;

namespace Nightjar.Connection;

// Payloads that are read from a stream.
internal sealed partial class EngineHost
{
    /// <summary>
    /// Publishes what a stream holds: takes room for all of it, reads it into a segment of its own, and only then takes the message in. No lock is held while it reads.
    /// </summary>
    public async ValueTask<PublishResult> PublishAsync(string topic, ReadOnlyMemory<byte> properties, Stream payload, int length, PublishTerms terms, CancellationToken cancellationToken)
    {
        var topicBytes = new byte[Encoding.UTF8.GetByteCount(topic)];
        _ = ToTopic(topic, topicBytes);
        cancellationToken.ThrowIfCancellationRequested();
        if (_durable is { IsReady: false })
        {
            await OpenAsync(cancellationToken).ConfigureAwait(false);
        }

        var size = topicBytes.Length + properties.Length + length;
        if (!await ReserveAsync(topicBytes, properties, terms, length, cancellationToken).ConfigureAwait(false))
        {
            return new PublishResult(ReasonCode.Success, PacketId: 0, PublishFlags.Dropped);
        }

        MessageSegment? segment = null;
        try
        {
            segment = new MessageSegment(ArrayPool<byte>.Shared.Rent(size));
            var room = segment.Bytes.AsMemory(topicBytes.Length + properties.Length, length);
            var read = await payload.ReadAtLeastAsync(room, length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            if (read < length)
            {
                throw new EndOfStreamException($"The stream ended after {read} bytes and the message was to have {length}; it was not sent.");
            }
        }
        catch
        {
            EndReservation(size);
            if (segment is not null)
            {
                ArrayPool<byte>.Shared.Return(segment.Bytes);
            }

            throw;
        }

        return await PublishFilled(topicBytes, properties, segment, length, terms, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>False: there is no connection, and the message is dropped for that.</summary>
    private Task<bool> ReserveAsync(byte[] topic, ReadOnlyMemory<byte> properties, PublishTerms terms, int length, CancellationToken cancellationToken)
    {
        RoomWaiter? waiter = null;
        Exception? refusal = null;
        var reserved = false;
        using (_gate.Enter())
        {
            ThrowIfClosed();
            var now = _gate.Now();
            var message = new OutgoingPublish { Topic = topic, Properties = properties.Span, QoS = terms.QoS, ToCome = length };
            switch (_engine.Admit(message, WhenOfflineFor(terms), now))
            {
                case OutboxAdmission.Admitted:
                    _engine.Outbound.Reserve(message.Length);
                    reserved = true;
                    break;
                case OutboxAdmission.MustWait:
                    waiter = new RoomWaiter(message) { Reserver = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously) };
                    waiter.Request = _engine.Outbound.WaitForRoom(waiter, message, now);
                    break;
                case var admission:
                    refusal = Refusal(admission, message.Length);
                    break;
            }
        }

        if (refusal is not null)
        {
            return Task.FromException<bool>(refusal);
        }

        return waiter is null ? Task.FromResult(reserved) : WaitForReservationAsync(waiter, cancellationToken);
    }

    private async Task<bool> WaitForReservationAsync(RoomWaiter waiter, CancellationToken cancellationToken)
    {
        await using (cancellationToken.UnsafeRegister(
            static (state, token) =>
            {
                var (host, waiter) = ((EngineHost, RoomWaiter))state!;
                if (host.WithdrawRequest(waiter))
                {
                    waiter.Reserver!.TrySetCanceled(token);
                }
            },
            (this, waiter)).ConfigureAwait(false))
        {
            await waiter.Reserver!.Task.ConfigureAwait(false);
            return true;
        }
    }

    private void EndReservation(int size)
    {
        using (_gate.Enter())
        {
            _engine.Outbound.EndReservation(size);
        }
    }

    private ValueTask<PublishResult> PublishFilled(
        byte[] topic, ReadOnlyMemory<byte> properties, MessageSegment segment, int length, in PublishTerms terms, CancellationToken cancellationToken)
    {
        var propertyBytes = properties.Span;
        var watch = Telemetry.WatchesPublishing ? Telemetry.StartPublish(topic, length, terms.QoS, ref propertyBytes) : null;
        PublishWaiter waiter;
        ValueTask<PublishResult> task;
        using (_gate.Enter())
        {
            _engine.Outbound.EndReservation(topic.Length + properties.Length + length);
            ThrowIfClosed();
            waiter = _waiters.Rent();
            task = waiter.Task;
            waiter.Watch = watch;
            waiter.Ticket = _engine.Accept(
                new OutgoingPublish
                {
                    Topic = topic,
                    Properties = properties.Span,
                    Payload = segment.Bytes.AsSpan(topic.Length + properties.Length, length),
                    QoS = terms.QoS,
                    Retain = terms.Retain,
                    TopicAlias = terms.Alias,
                    TimeToLive = terms.TimeToLive,
                    Filled = segment,
                },
                waiter,
                _gate.Now());
        }

        waiter.ListenTo(cancellationToken);
        return task;
    }
}
