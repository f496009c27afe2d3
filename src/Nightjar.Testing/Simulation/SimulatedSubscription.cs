using Nightjar.Protocol.Engine;

namespace Nightjar.Testing.Simulation;

/// <summary>A subscription and its handler: one message after the other, or a few at a time; what throws is called again.</summary>
internal sealed class SimulatedSubscription : LocalSubscription
{
    private const int Retries = 2;
    private const long FirstPause = 100 * VirtualTime.Millisecond;

    private readonly World _world;
    private readonly SimulatedClient _client;
    private readonly Queue<Delivery> _waiting = new();
    private int _running;

    public SimulatedSubscription(World world, SimulatedClient client, WantedFilter wanted)
        : base(wanted.Filter, new SubscriptionTerms(wanted.QoS, NoLocal: false, RetainAsPublished: false, RetainHandling.SendAtSubscribe, Identifier: null, NoUserProperties))
    {
        _world = world;
        _client = client;
        Wanted = wanted;
        StoresMessages = wanted.IsStoring;
    }

    public WantedFilter Wanted { get; }

    public bool IsIdle => _running == 0 && _waiting.Count == 0;

    // One instance, as the client has it: filters that share all terms share a packet.
    private static IReadOnlyList<UserProperty> NoUserProperties { get; } = [];

    /// <summary>A message arrived, or an earlier process left it.</summary>
    public void Deliver(IncomingRecord record, AckToken token, long deliveryId)
    {
        record.Deliveries++;
        Check(record, deliveryId);
        record.Running++;
        record.IsKept |= StoresMessages && deliveryId != 0;
        if (record.Phase != InboundPhase.Stored)
        {
            record.Phase = record.QoS switch
            {
                QoS.AtMostOnce => InboundPhase.QoS0Handling,
                QoS.AtLeastOnce => InboundPhase.QoS1Handling,
                _ => InboundPhase.QoS2Handling,
            };
        }

        _waiting.Enqueue(new Delivery(record, token, deliveryId, _client.Link?.Number ?? 0));
        Next();
    }

    /// <summary>Calls handlers with what may be seen: a message that the store does not have yet is not to be handled, lest it be called otherwise after a crash.</summary>
    public void Next()
    {
        while (_running < _world.Traits.HandlerConcurrency && _waiting.TryPeek(out var next) && (next.DeliveryId == 0 || next.DeliveryId <= _world.Log!.Committed))
        {
            _waiting.Dequeue();
            _running++;
            See(next);
            Call(next, attempt: 0);
        }
    }

    private void Check(IncomingRecord record, long deliveryId)
    {
        if (record.Deliveries == 1)
        {
            var last = Wanted.Last.GetValueOrDefault((record.Topic, record.QoS, record.Retain), -1);
            _world.Require(record.Number > last, $"{record} was delivered after message {last} of the same topic and QoS");
            Wanted.Last[(record.Topic, record.QoS, record.Retain)] = record.Number;
        }
        else if (record.QoS == QoS.AtMostOnce)
        {
            _world.Violate($"{record} was delivered {record.Deliveries} times");
        }
        else if (record.QoS == QoS.ExactlyOnce)
        {
            _world.Require(record.Running == 0, $"{record} was delivered again while its handler ran");
            _world.Require(record.HandledIn != _world.Application.Process, $"{record} was delivered again after its handler had ended well");
            _world.Require(
                record.ReceivedAt == 0 || _world.SessionIsAmbiguous || record.Forgotten, $"{record} was delivered again after it was written down that it is handled");
        }

        _world.Require(deliveryId == 0 || !_world.Log!.Book.IsHandled(deliveryId), $"{record} came as {deliveryId} again after it was written down that that is handled");
    }

    /// <summary>A handler begins: from here on the message has its name.</summary>
    private void See(in Delivery delivery)
    {
        if (delivery.DeliveryId == 0)
        {
            return;
        }

        var record = delivery.Record;
        record.DeliveryIds.Add(delivery.DeliveryId);
        _world.Require(
            _world.Application.Deliveries.TryAdd(delivery.DeliveryId, record) || _world.Application.Deliveries[delivery.DeliveryId] == record || _world.SessionIsAmbiguous,
            $"{record} and another one are called {delivery.DeliveryId}");
        _world.Require(
            record.QoS == QoS.AtLeastOnce || record.DeliveryIds.Count == 1 || _world.SessionIsAmbiguous,
            $"{record} came under {record.DeliveryIds.Count} names");
    }

    private void Call(Delivery delivery, int attempt)
    {
        var record = delivery.Record;
        var handling = _world.Handlers.Choose(new SimulatedMessage(record.Number, record.Topic, record.QoS, record.Retain, record.Calls++));
        _world.Time.After(handling.Duration.Ticks, () => Ended(delivery, handling.Throws, attempt));
    }

    private void Ended(Delivery delivery, bool throws, int attempt)
    {
        if (_client.IsDead)
        {
            return;
        }

        if (throws && attempt < Retries)
        {
            _world.Time.After(FirstPause << attempt, () =>
            {
                if (!_client.IsDead)
                {
                    Call(delivery, attempt + 1);
                }
            });
            return;
        }

        var verdict = throws ? _world.Handlers.Poison() : PoisonVerdict.Acknowledge;
        var record = delivery.Record;
        _running--;
        record.Running--;
        record.IsOver |= record.QoS == QoS.AtMostOnce || record.Forgotten;
        if (StoresMessages && delivery.DeliveryId != 0)
        {
            EndedStored(delivery, verdict);
        }
        else
        {
            Ended(delivery, verdict);
        }

        Next();
    }

    private void Ended(in Delivery delivery, PoisonVerdict verdict)
    {
        var record = delivery.Record;
        var current = _client.Link?.Number ?? 0;
        switch (verdict)
        {
            case PoisonVerdict.Abandon:
                _world.Note($"the handler leaves {record} unacknowledged");
                record.Abandoned++;
                record.AbandonedOn = record.QoS == QoS.AtLeastOnce ? delivery.Connection : current;
                record.Phase = InboundPhase.Waiting;
                _client.Complete(delivery.Token, ReasonCode.Success, abandoned: true);
                break;
            case PoisonVerdict.Refuse:
                _world.Note($"the handler refuses {record}");
                record.Refused++;
                record.DeliveryIds.Clear(); // if it comes again, it is another one
                _client.Complete(delivery.Token, ReasonCode.ImplementationSpecificError, abandoned: false);
                break;
            default:
                Handled(record);
                record.Phase = record.QoS == QoS.ExactlyOnce ? InboundPhase.QoS2Handled : delivery.Connection == current ? InboundPhase.QoS1Handled : InboundPhase.Waiting;
                if (!delivery.Token.IsNone)
                {
                    _client.Complete(delivery.Token, ReasonCode.Success, abandoned: false);
                }

                break;
        }
    }

    /// <summary>It was acknowledged when it was stored. What its handler leaves stays in the store, for the next process.</summary>
    private void EndedStored(in Delivery delivery, PoisonVerdict verdict)
    {
        var record = delivery.Record;
        if (verdict == PoisonVerdict.Abandon)
        {
            _world.Note($"the handler leaves {record} in the store");
            record.Abandoned++;
        }
        else
        {
            Handled(record);
            record.IsKept = false;
            record.IsOver |= record.Phase == InboundPhase.Stored;
        }

        _client.CompleteStored(this, delivery.DeliveryId, abandoned: verdict == PoisonVerdict.Abandon);
    }

    private void Handled(IncomingRecord record)
    {
        record.Handled++;
        record.HandledIn = _world.Application.Process;
    }

    private readonly record struct Delivery(IncomingRecord Record, AckToken Token, long DeliveryId, int Connection);
}
