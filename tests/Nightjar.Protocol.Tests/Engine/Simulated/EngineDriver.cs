using System.Text;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Tests.Engine.Simulated;

/// <summary>One message at one subscription.</summary>
internal sealed record Arrival(string Topic, string Payload, QoS QoS, bool Duplicate, bool Retain, AckToken Token, LocalSubscription Subscription)
{
    /// <summary>0: none.</summary>
    public long DeliveryId { get; init; }
}

/// <summary>
/// The host's part, single-threaded and under virtual time: it owns no socket and no clock, collects what the engine says, and moves bytes
/// when it is told to. Tests play the server against it by hand, the simulation connects it to a model broker.
/// </summary>
internal sealed class EngineDriver
{
    private readonly OutputBatch _batch = new();
    private readonly InboundBatch _inboundBatch = new();
    private Inbound? _inbound;
    private byte[] _unparsed = [];
    private int _dial;

    public EngineDriver(EngineSettings settings, IRecordAppender? log = null, RestoredSession? session = null, DateTimeOffset? utcNow = null)
    {
        Engine = new ClientEngine(log is null ? settings : settings with { HasStore = true });
        if (log is not null)
        {
            Engine.Restore(session ?? new RestoredSession(), new SessionJournal(log), Now, utcNow ?? DateTimeOffset.UnixEpoch.AddYears(60));
        }
    }

    /// <summary>A process that goes on where an earlier one stopped.</summary>
    public EngineDriver(EngineSettings settings, RestoredSession session, SessionJournal journal, DateTimeOffset utcNow)
    {
        Engine = new ClientEngine(settings with { HasStore = true });
        Engine.Restore(session, journal, Now, utcNow);
    }

    public ClientEngine Engine { get; }

    /// <summary>Ticks of 100 ns.</summary>
    public long Now { get; set; }

    /// <summary>The attempt whose transport is open; 0 if none is.</summary>
    public int Open { get; private set; }

    /// <summary>Whether the transport is to be closed once all output is written.</summary>
    public bool ClosesAfterFlush { get; private set; }

    /// <summary>Whether the engine asked for a transport.</summary>
    public bool WantsDial => _dial != 0;

    public List<EngineOutput> Outputs { get; } = [];

    public List<PublishOutcome> Ended { get; } = [];

    public List<FlushOutcome> Flushed { get; } = [];

    public List<SubscriptionAnswer> Answers { get; } = [];

    public List<UnsubscribeAnswer> UnsubscribeAnswers { get; } = [];

    public List<(string Topic, ushort PacketId, string Reason)> Quarantined { get; } = [];

    public List<Arrival> Arrived { get; } = [];

    /// <summary>Pieces of payloads that arrive as streams.</summary>
    public List<string> Streamed { get; } = [];

    /// <summary>Called for each arrival as it comes; tests that complete by hand leave it out.</summary>
    public Action<Arrival>? Handler { get; set; }

    /// <summary>The transport that the engine asked for is open.</summary>
    public void Dial()
    {
        Collect();
        (Open, _dial) = (_dial, 0);
        ClosesAfterFlush = false;
        _unparsed = [];
        Engine.HandleDialed(Open);
        _inbound = Engine.Inbound;
        Collect();
    }

    public void FailDial(CloseReason reason)
    {
        Collect();
        (var attempt, _dial) = (_dial, 0);
        Engine.HandleTransportLost(attempt, reason, Now);
        Collect();
    }

    /// <summary>The transport broke; with <paramref name="orderly"/> the peer closed it.</summary>
    public void Lose(bool orderly = false)
    {
        var attempt = Open;
        Open = 0;
        Engine.HandleTransportLost(attempt, new CloseReason(CloseKind.TransportLost, "lost") { Cause = orderly ? null : "reset" }, Now);
        Collect();
    }

    /// <summary>Everything that may leave, as written; closes the transport if it was to be closed after that.</summary>
    public byte[] Flush()
    {
        var bytes = new List<byte>();
        while (Open != 0 && Take(bytes))
        {
            Written();
        }

        if (ClosesAfterFlush && Open != 0)
        {
            Lose(orderly: true);
        }

        return [.. bytes];
    }

    /// <summary>What the next write would carry, without saying that it was written.</summary>
    public bool Take(List<byte> bytes)
    {
        var any = Engine.TakeOutput(_batch);
        for (var i = 0; i < _batch.Count; i++)
        {
            bytes.AddRange(_batch[i].Span);
        }

        _batch.Release();
        return any;
    }

    public void Written()
    {
        Engine.HandleWritten(Open, Now);
        Collect();
    }

    /// <summary>Bytes came from the server.</summary>
    public void Receive(ReadOnlySpan<byte> bytes)
    {
        if (_inbound is not { } inbound)
        {
            return;
        }

        byte[] chunk = [.. _unparsed, .. bytes];
        var consumed = inbound.Parse(chunk, _inboundBatch);
        Engine.Apply(Open, _inboundBatch, chunk, Now);
        _unparsed = chunk[consumed..];
        for (var i = 0; i < _inboundBatch.Count; i++)
        {
            Deliver(_inboundBatch[i], chunk);
        }

        _inboundBatch.Clear();
        Collect();
    }

    public void AdvanceTo(long now)
    {
        Now = now;
        Engine.Advance(now);
        Collect();
    }

    public void Complete(AckToken token, ReasonCode reason = ReasonCode.Success, bool abandoned = false, LocalSubscription? by = null)
    {
        Engine.Complete([new HandlerOutcome(token, reason, abandoned, by)], Now);
        Collect();
    }

    /// <summary>Publishes as the host does; returns the waiter, or null if the message is in the lane already.</summary>
    public object? Publish(string topic, string payload, QoS qos, out MessageTicket ticket, object? waiter = null)
    {
        var message = new OutgoingPublish { Topic = Encoding.UTF8.GetBytes(topic), Payload = Encoding.UTF8.GetBytes(payload), QoS = qos };
        ticket = default;
        if (qos == QoS.AtMostOnce && Engine.TryBuffer(message, out _) == PublishStart.Buffered)
        {
            return null;
        }

        waiter ??= payload;
        ticket = Engine.Accept(message, waiter, Now);
        Collect();
        return waiter;
    }

    public LocalSubscription Subscribe(string filter, QoS qos = QoS.ExactlyOnce, bool atArrival = false, bool takesStreams = false, bool stores = false)
    {
        var subscription = new ModelSubscription(TopicFilter.Parse(filter), qos) { AcknowledgesAtArrival = atArrival, TakesStreams = takesStreams, StoresMessages = stores };
        Engine.Subscribe(subscription, Now);
        Collect();
        return subscription;
    }

    public LocalSubscription Subscribe(
        IReadOnlyList<string> filters,
        QoS qos = QoS.AtLeastOnce,
        RetainHandling retainHandling = RetainHandling.SendAtSubscribe,
        bool noLocal = false,
        bool retainAsPublished = false,
        uint? identifier = null,
        string? scope = null)
    {
        var parsed = filters.Select(TopicFilter.Parse).ToList();
        var subscription = new ModelSubscription(
            parsed,
            scope is null ? parsed : [TopicFilter.Parse(scope)],
            new SubscriptionTerms(qos, noLocal, retainAsPublished, retainHandling, identifier, []));
        Engine.Subscribe(subscription, Now);
        Collect();
        return subscription;
    }

    /// <summary>Takes over what the engine has to say, as the host does at the end of each entry.</summary>
    public void Collect()
    {
        Ended.AddRange(Engine.Outbound.TakeEnded([]));
        Take(Engine.Outbound.Flushed, Flushed);
        Take(Engine.Outbound.Quarantined, Quarantined);
        Take(Engine.Subscriptions.Answers, Answers);
        Take(Engine.Subscriptions.UnsubscribeAnswers, UnsubscribeAnswers);
        while (Engine.Outputs.TryDequeue(out var output))
        {
            Outputs.Add(output);
            switch (output)
            {
                case EngineOutput.Dial dial:
                    _dial = dial.Attempt;
                    break;
                case EngineOutput.CloseTransport { AfterFlush: true } close when close.Attempt == Open:
                    ClosesAfterFlush = true;
                    break;
                case EngineOutput.CloseTransport close when close.Attempt == Open:
                    Open = 0;
                    break;
                case EngineOutput.CloseTransport close when close.Attempt == _dial:
                    _dial = 0;
                    break;
            }
        }
    }

    private static void Take<T>(List<T> from, List<T> to)
    {
        to.AddRange(from);
        from.Clear();
    }

    private void Deliver(in InboundPacket packet, byte[] chunk)
    {
        if (!packet.Deliver)
        {
            return;
        }

        if (packet.Part > PublishPart.Begin)
        {
            Streamed.Add(Encoding.UTF8.GetString(chunk, packet.PayloadOffset, packet.PayloadLength));
            return;
        }

        var payload = packet.Part == PublishPart.Begin ? $"{packet.PayloadLength} to come" : Encoding.UTF8.GetString(chunk, packet.PayloadOffset, packet.PayloadLength);
        foreach (var subscription in packet.Route!.Subscriptions)
        {
            if ((packet.Part == PublishPart.Begin && !subscription.TakesStreams) || (packet.WasStored && subscription.StoresMessages))
            {
                continue;
            }

            var arrival = new Arrival(packet.Route.Name, payload, packet.QoS, packet.Duplicate, packet.Retain, packet.Token, subscription) { DeliveryId = packet.DeliveryId };
            Arrived.Add(arrival);
            Handler?.Invoke(arrival);
        }
    }
}

/// <summary>A subscription with nothing behind it.</summary>
internal sealed class ModelSubscription : LocalSubscription
{
    public ModelSubscription(TopicFilter filter, SubscriptionTerms terms)
        : base(filter, terms)
    {
    }

    public ModelSubscription(IReadOnlyList<TopicFilter> filters, IReadOnlyList<TopicFilter> wireFilters, SubscriptionTerms terms)
        : base(filters, wireFilters, terms)
    {
    }

    public ModelSubscription(TopicFilter filter, QoS qos)
        : this(filter, new SubscriptionTerms(qos, NoLocal: false, RetainAsPublished: false, RetainHandling.SendAtSubscribe, Identifier: null, NoUserProperties))
    {
    }

    // One instance, as the host has it: filters that share all terms share a packet.
    private static IReadOnlyList<UserProperty> NoUserProperties { get; } = [];
}
