using System.Text;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Journal;

/// <summary>Stored messages that a subscription leaves unhandled: they stay in the log, and go to those who subscribe later.</summary>
public sealed class LeftMessageTests
{
    private readonly RecordingLog _log = new();
    private readonly ScriptedServer _server;

    public LeftMessageTests()
    {
        _server = ScriptedServer.Connected(log: _log);
        _server.Engine.HandleCommitted(_log.Records.Count);
    }

    [Fact]
    public void What_a_subscription_leaves_stays_and_goes_to_the_next_that_matches_in_order()
    {
        var first = Subscribe("t");
        Send(3);
        Leave(first, 2);
        Leave(first, 1);
        Handle(first, 3);
        _server.Engine.Unsubscribe(first, waiter: null);

        Assert.Equal(2, Unhandled);
        Subscribe("u");
        Assert.Empty(Replayed());
        var second = Subscribe("#");

        Assert.Equal(["1 #", "2 #"], Replayed());
        Handle(second, 1);
        Handle(second, 2);
        Assert.Equal(0, Unhandled);
    }

    [Fact]
    public void Who_left_a_message_or_handled_it_does_not_get_it_again()
    {
        var leaving = Subscribe("t");
        var handling = Subscribe("#");
        Send(1);

        Leave(leaving, 1);
        Assert.Empty(Replayed());
        Handle(handling, 1);

        Assert.Empty(Replayed());
        Assert.Equal(1, Unhandled);
        Subscribe("+");
        Assert.Equal(["1 +"], Replayed());
    }

    [Fact]
    public void A_message_that_is_left_late_goes_to_who_subscribed_meanwhile()
    {
        var slow = Subscribe("t");
        Send(1);
        _server.Engine.Unsubscribe(slow, waiter: null);
        var second = Subscribe("t");
        Assert.Empty(Replayed());

        Leave(slow, 1);

        Assert.Equal(["1 t"], Replayed());
        Leave(second, 1);
        Assert.Empty(Replayed());
        Assert.Equal(1, Unhandled);
    }

    [Fact]
    public void A_message_that_another_one_still_has_waits_for_it()
    {
        var first = Subscribe("t");
        var second = Subscribe("t");
        Send(1);
        Leave(first, 1);
        Subscribe("#");
        Assert.Empty(Replayed());

        Handle(second, 1);

        Assert.Equal(["1 #"], Replayed());
    }

    private int Unhandled
    {
        get
        {
            var reader = new JournalReader();
            for (var i = 0; i < _log.Records.Count; i++)
            {
                reader.Record(i + 1, (byte)_log.Records[i].Type, _log.Records[i].Payload);
            }

            return reader.Complete().Deliveries.Count;
        }
    }

    private LocalSubscription Subscribe(string filter) => _server.Driver.Subscribe(filter, stores: true);

    private void Send(int count)
    {
        for (var i = 1; i <= count; i++)
        {
            _server.Send("t", $"{i}", QoS.AtLeastOnce, (ushort)i);
        }
    }

    private void Handle(LocalSubscription by, int number) => Complete(by, number, abandoned: false);

    private void Leave(LocalSubscription by, int number) => Complete(by, number, abandoned: true);

    private void Complete(LocalSubscription by, int number, bool abandoned)
    {
        var deliveryId = _server.Driver.Arrived.First(arrival => arrival.Payload == $"{number}").DeliveryId;
        _server.Engine.Complete([new HandlerOutcome(default, ReasonCode.Success, abandoned, by, deliveryId)], _server.Driver.Now);
        _server.Driver.Collect();
    }

    /// <summary>What is handed on again, and to whom.</summary>
    private List<string> Replayed()
    {
        var replayed = new List<string>();
        while (_server.Engine.TakeReplay(out var replay))
        {
            foreach (var subscription in replay.Route.Subscriptions)
            {
                if (replay.IsFor(subscription))
                {
                    replayed.Add($"{Encoding.UTF8.GetString(replay.Payload)} {subscription.TopicFilter.Text}");
                }
            }
        }

        return replayed;
    }
}
