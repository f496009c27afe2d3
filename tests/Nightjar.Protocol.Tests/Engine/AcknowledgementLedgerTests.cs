using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

public sealed class AcknowledgementLedgerTests : LedgerScene
{
    [Fact(DisplayName = "[MQTT5-4.6.0-2] PUBACKs and PUBRECs leave in the order of arrival, however handlers end")]
    public void Acknowledgements_leave_in_the_order_of_arrival()
    {
        var first = Admit(QoS.AtLeastOnce, 11);
        var second = Admit(QoS.ExactlyOnce, 12);
        var third = Admit(QoS.AtLeastOnce, 13);

        Assert.False(Complete(third));
        Assert.False(Complete(second));
        Assert.Empty(Ready());

        Assert.True(Complete(first));
        Assert.Equal([(PacketType.PubAck, 11), (PacketType.PubRec, 12), (PacketType.PubAck, 13)], Ready());
        Assert.Equal(0, _ledger.Waiting);
    }

    [Fact]
    public void A_message_that_nobody_wants_is_acknowledged_in_its_turn()
    {
        var first = Admit(QoS.AtLeastOnce, 1);
        Admit(QoS.AtLeastOnce, 2, handlers: 0);
        Admit(QoS.ExactlyOnce, 3, handlers: 0);

        Assert.Empty(Ready());
        Complete(first);

        Assert.Equal([(PacketType.PubAck, 1), (PacketType.PubAck, 2), (PacketType.PubRec, 3)], Ready());
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void A_message_with_several_handlers_waits_for_the_last(QoS qos)
    {
        var token = Admit(qos, 1, handlers: 3);

        Assert.False(Complete(token));
        Assert.False(Complete(token));
        Assert.Empty(Ready());
        Assert.True(Complete(token));
        Assert.Single(Ready());
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void Of_several_outcomes_the_worst_is_told(QoS qos)
    {
        var token = Admit(qos, 1, handlers: 2);

        Complete(token, ReasonCode.ImplementationSpecificError);
        Complete(token);

        Assert.True(_ledger.TryTakeReady(out var ack));
        Assert.Equal(ReasonCode.ImplementationSpecificError, ack.ReasonCode);
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void One_end_too_many_does_nothing(QoS qos)
    {
        var first = Admit(qos, 1);
        var second = Admit(qos, 2);
        Complete(second);

        Assert.False(Complete(second, abandoned: true));
        Complete(first);

        Assert.Equal(2, Ready().Count);
        Assert.False(Complete(first));
        Assert.False(Complete(second));
        Assert.Empty(Ready());
    }

    [Fact(DisplayName = "[MQTT5-3.3.4-9] One message more than Receive Maximum is a violation")]
    public void One_message_too_many_is_refused()
    {
        for (ushort id = 1; id <= 2; id++)
        {
            Admit(QoS.AtLeastOnce, id);
            Admit(QoS.ExactlyOnce, id);
        }

        Assert.Equal(Admission.ReceiveMaximumExceeded, _ledger.Admit(QoS.AtLeastOnce, 3, 1, isNew: false, out _));
        Assert.Equal(Admission.ReceiveMaximumExceeded, _ledger.Admit(QoS.ExactlyOnce, 3, 1, isNew: false, out _));
    }

    [Fact]
    public void PUBACK_gives_its_place_back_and_PUBREC_does_not()
    {
        for (ushort id = 1; id <= 2; id++)
        {
            Complete(Admit(QoS.ExactlyOnce, id));
            Complete(Admit(QoS.AtLeastOnce, id));
        }

        Assert.Equal(4, Ready().Count);
        Admit(QoS.AtLeastOnce, 7);
        Admit(QoS.AtLeastOnce, 8);
        Assert.Equal(Admission.ReceiveMaximumExceeded, _ledger.Admit(QoS.AtLeastOnce, 9, 1, isNew: false, out _));
        Assert.True(_ledger.Release(1, out _));
        Admit(QoS.AtLeastOnce, 9);
    }

    [Fact]
    public void An_abandoned_message_is_passed_over_and_costs_its_place()
    {
        var first = Admit(QoS.AtLeastOnce, 1);
        var second = Admit(QoS.ExactlyOnce, 2);
        var third = Admit(QoS.AtLeastOnce, 3);
        Complete(second, abandoned: true);
        Complete(third);

        Assert.True(Complete(first, abandoned: true));

        Assert.Equal([(PacketType.PubAck, 3)], Ready());
        Assert.Equal(2, _ledger.Abandoned);
        Admit(QoS.AtLeastOnce, 4);
        Admit(QoS.AtLeastOnce, 5);
        Assert.Equal(Admission.ReceiveMaximumExceeded, _ledger.Admit(QoS.AtLeastOnce, 6, 1, isNew: false, out _));

        Resume();
        Assert.Equal(0, _ledger.Abandoned);
        Admit(QoS.ExactlyOnce, 2);
    }

    [Fact]
    public void A_QoS_1_token_of_an_earlier_connection_does_nothing()
    {
        var old = Admit(QoS.AtLeastOnce, 1);
        Resume();
        Admit(QoS.AtLeastOnce, 1);

        Assert.False(Complete(old));
        Assert.Empty(Ready());
    }

    [Fact]
    public void The_ring_grows_and_goes_round()
    {
        _ledger.Start(sessionKept: false, receiveMaximum: 300);
        var waiting = new Queue<(ushort Id, AckToken Token)>();
        ushort id = 0;
        for (var round = 0; round < 50; round++)
        {
            for (var i = 0; i < 40 + round; i++)
            {
                waiting.Enqueue((++id, Admit(QoS.AtLeastOnce, id)));
            }

            while (waiting.Count > 30)
            {
                var (expected, token) = waiting.Dequeue();
                Complete(token);
                Assert.Equal([(PacketType.PubAck, expected)], Ready());
            }
        }

        Assert.Equal(30, _ledger.Waiting);
    }
}
