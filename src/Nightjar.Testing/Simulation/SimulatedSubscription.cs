using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Topics;

namespace Nightjar.Testing.Simulation;

/// <summary>A subscription and its handler: one message after the other, or a few at a time; what throws is called again.</summary>
internal sealed class SimulatedSubscription(World world, SimulatedClient client, TopicFilter filter, QoS qos)
    : LocalSubscription(filter, new SubscriptionTerms(qos, NoLocal: false, RetainAsPublished: false, RetainHandling.SendAtSubscribe, Identifier: null, NoUserProperties))
{
    private const int Retries = 2;
    private const long FirstPause = 100 * VirtualTime.Millisecond;

    private readonly Queue<(IncomingRecord Record, AckToken Token, int Connection)> _waiting = new();
    private readonly Dictionary<(string Topic, QoS QoS, bool Retain), int> _last = [];
    private int _running;

    /// <summary>It was given up.</summary>
    public bool IsOver { get; set; }

    public bool IsIdle => _running == 0 && _waiting.Count == 0;

    // One instance, as the client has it: filters that share all terms share a packet.
    private static IReadOnlyList<UserProperty> NoUserProperties { get; } = [];

    /// <summary>A message arrived.</summary>
    public void Deliver(IncomingRecord record, AckToken token)
    {
        record.Deliveries++;
        Check(record);
        record.Running++;
        record.Phase = record.QoS switch
        {
            QoS.AtMostOnce => InboundPhase.QoS0Handling,
            QoS.AtLeastOnce => InboundPhase.QoS1Handling,
            _ => InboundPhase.QoS2Handling,
        };
        _waiting.Enqueue((record, token, client.Link?.Number ?? 0));
        Next();
    }

    private void Check(IncomingRecord record)
    {
        if (record.Deliveries == 1)
        {
            var last = _last.GetValueOrDefault((record.Topic, record.QoS, record.Retain), -1);
            world.Require(record.Number > last, $"{record} was delivered after message {last} of the same topic and QoS");
            _last[(record.Topic, record.QoS, record.Retain)] = record.Number;
        }
        else if (record.QoS == QoS.AtMostOnce)
        {
            world.Violate($"{record} was delivered {record.Deliveries} times");
        }
        else if (record.QoS == QoS.ExactlyOnce)
        {
            world.Require(record.Running == 0, $"{record} was delivered again while its handler ran");
            world.Require(record.Handled == 0, $"{record} was delivered again after its handler had ended well");
        }
    }

    private void Next()
    {
        while (_running < world.Traits.HandlerConcurrency && _waiting.TryDequeue(out var next))
        {
            _running++;
            Call(next.Record, next.Token, next.Connection, attempt: 0);
        }
    }

    private void Call(IncomingRecord record, AckToken token, int connection, int attempt)
    {
        var handling = world.Handlers.Choose(new SimulatedMessage(record.Number, record.Topic, record.QoS, record.Retain, record.Calls++));
        world.Time.After(handling.Duration.Ticks, () => Ended(record, token, connection, handling.Throws, attempt));
    }

    private void Ended(IncomingRecord record, AckToken token, int connection, bool throws, int attempt)
    {
        if (throws && attempt < Retries)
        {
            world.Time.After(FirstPause << attempt, () => Call(record, token, connection, attempt + 1));
            return;
        }

        var verdict = throws ? world.Handlers.Poison() : PoisonVerdict.Acknowledge;
        var current = client.Link?.Number ?? 0;
        _running--;
        record.Running--;
        record.IsOver = record.QoS == QoS.AtMostOnce || record.Forgotten;
        switch (verdict)
        {
            case PoisonVerdict.Abandon:
                world.Note($"the handler leaves {record} unacknowledged");
                record.Abandoned++;
                record.AbandonedOn = record.QoS == QoS.AtLeastOnce ? connection : current;
                record.Phase = InboundPhase.Waiting;
                client.Complete(token, ReasonCode.Success, abandoned: true);
                break;
            case PoisonVerdict.Refuse:
                world.Note($"the handler refuses {record}");
                record.Refused++;
                client.Complete(token, ReasonCode.ImplementationSpecificError, abandoned: false);
                break;
            default:
                record.Handled++;
                record.Phase = record.QoS == QoS.ExactlyOnce ? InboundPhase.QoS2Handled : connection == current ? InboundPhase.QoS1Handled : InboundPhase.Waiting;
                if (!token.IsNone)
                {
                    client.Complete(token, ReasonCode.Success, abandoned: false);
                }

                break;
        }

        Next();
    }
}
