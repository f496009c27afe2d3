using Nightjar.Protocol.Engine;
using Nightjar.Subscriptions;

namespace Nightjar.Connection;

/// <summary>
/// From one connection's chunks into the queues of subscriptions: messages where they lie, or, when much is waiting already, copied into blocks of their size; payloads that
/// are read as they arrive piece by piece.
/// </summary>
internal sealed class MessageDelivery(ReceiveBudget budget)
{
    private readonly List<MessageFeed> _touched = [];
    private readonly List<MessageFeed> _ended = [];
    private readonly BlockCopier _copier = new(budget);
    private readonly List<StreamedPayload> _streams = [];
    private readonly Lock _streaming = new();
    private bool _stopped;

    /// <summary>A subscription that drops nothing is full: the loop must wait for it.</summary>
    public MessageFeed? FullFeed { get; set; }

    /// <summary>A queue began or ceased to drop messages.</summary>
    public bool HasReports { get; set; }

    /// <summary>Hands on what the engine marked.</summary>
    /// <param name="batch">Applied.</param>
    /// <param name="chunk">Where its bytes lie.</param>
    /// <param name="start">What its positions count from.</param>
    /// <param name="dropping">QoS 0 messages find no room.</param>
    public void Deliver(InboundBatch batch, ReceiveChunk chunk, int start, bool dropping)
    {
        var copies = budget.Held >= budget.CopyFrom && _copier.Plan(batch, chunk, dropping);
        var shares = 0;
        for (var i = 0; i < batch.Count; i++)
        {
            ref var packet = ref batch[i];
            if (!packet.Deliver)
            {
                continue;
            }

            if (packet.Part != PublishPart.Whole)
            {
                DeliverPart(packet, chunk, start, dropping);
                continue;
            }

            foreach (var subscription in packet.Route!.Subscriptions)
            {
                var feed = (MessageFeed)subscription;
                if ((packet.WasStored && feed.StoresMessages) || (dropping && packet.QoS == QoS.AtMostOnce && Drops(feed)))
                {
                    continue;
                }

                if (copies && _copier.TryCopy(feed, packet, chunk, start, out var copy))
                {
                    Append(feed, copy);
                    continue;
                }

                Append(feed, new ReceivedMessage(packet, chunk, start));
                shares++;
            }
        }

        if (shares > 0)
        {
            // Before anybody sees them: the first reader may be done before the last is told.
            chunk.Share(shares);
        }

        _copier.Finish();
        foreach (var feed in _touched)
        {
            feed.HasNews = false;
            feed.Publish();
            FullFeed = feed.IsFull ? feed : FullFeed;
            HasReports |= feed.HasReport;
            if (feed.IsClosed)
            {
                _ended.Add(feed);
            }
        }

        _touched.Clear();
    }

    /// <summary>Subscriptions that ended got messages all the same: nobody wants those. This acknowledges them, which enters the engine: to be called without a lock.</summary>
    public void LetGoOfEnded()
    {
        if (_ended.Count == 0)
        {
            return;
        }

        foreach (var feed in _ended)
        {
            feed.LetGo();
        }

        _ended.Clear();
    }

    /// <summary>Completed, unless too much of an arriving payload is unread.</summary>
    public Task WhenStreamsAreRead()
    {
        if (_streams.Count == 0)
        {
            return Task.CompletedTask;
        }

        lock (_streaming)
        {
            foreach (var stream in _streams)
            {
                if (stream.WhenRead() is { IsCompleted: false } wait)
                {
                    return wait;
                }
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>The connection is ending: no more of what was arriving will come. From any thread.</summary>
    public void Stop()
    {
        lock (_streaming)
        {
            _stopped = true;
            foreach (var stream in _streams)
            {
                stream.Cut();
            }

            _streams.Clear();
        }
    }

    /// <summary>There is no room for a QoS 0 message. False: it is taken all the same, and the loop waits until the subscription has handled half of what waits.</summary>
    private bool Drops(MessageFeed feed)
    {
        if (feed.Waits)
        {
            FullFeed = feed;
            return false;
        }

        feed.Drop(1);
        return true;
    }

    private void Append(MessageFeed feed, in ReceivedMessage message)
    {
        feed.Append(message);
        if (!feed.HasNews)
        {
            feed.HasNews = true;
            _touched.Add(feed);
        }
    }

    private void DeliverPart(in InboundPacket packet, ReceiveChunk chunk, int start, bool dropping)
    {
        if (packet.Part == PublishPart.Begin)
        {
            BeginStreams(packet, chunk, start, dropping);
            return;
        }

        lock (_streaming)
        {
            foreach (var stream in _streams)
            {
                chunk.Share(1);
                stream.Append(chunk, start + packet.PayloadOffset, packet.PayloadLength);
            }

            if (packet.Part == PublishPart.End)
            {
                _streams.Clear();
            }
        }
    }

    private void BeginStreams(in InboundPacket packet, ReceiveChunk chunk, int start, bool dropping)
    {
        foreach (var subscription in packet.Route!.Subscriptions)
        {
            if (!subscription.TakesStreams)
            {
                continue;
            }

            var feed = (MessageFeed)subscription;
            if (dropping && packet.QoS == QoS.AtMostOnce && Drops(feed))
            {
                continue;
            }

            // The head alone goes through the queue, in a block of its own: the chunk that it came in is not kept for as long as the payload takes.
            var payload = new StreamedPayload(packet.PayloadLength, packet.QoS);
            var properties = chunk.Bytes.AsSpan(start + packet.PayloadOffset - packet.PropertiesLength, packet.PropertiesLength);
            var block = new ReceiveChunk(budget, properties.Length, isBlock: true) { Payload = payload };
            properties.CopyTo(block.Bytes);
            block.Share(1);
            var head = packet;
            head.PayloadLength = 0;
            head.PayloadOffset = properties.Length;
            Append(feed, new ReceivedMessage(head, block, start: 0));
            block.LetGo();
            lock (_streaming)
            {
                if (_stopped)
                {
                    payload.Cut();
                }
                else
                {
                    _streams.Add(payload);
                }
            }
        }
    }
}
