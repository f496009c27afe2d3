using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>QoS 2: the identifiers that outlive a connection.</summary>
public sealed class ExactlyOnceLedgerTests : LedgerScene
{
    [Fact(DisplayName = "[MQTT5-4.3.3-10] A repetition before PUBREL is not delivered again")]
    public void A_repetition_on_one_connection_is_a_duplicate()
    {
        var token = Admit(QoS.ExactlyOnce, 1);

        Assert.Equal(Admission.Duplicate, Repeat(1));
        Complete(token);
        Assert.Equal(Admission.Duplicate, Repeat(1));
        Assert.Equal([(PacketType.PubRec, 1)], Ready());
        Assert.Equal(Admission.Duplicate, Repeat(1));
        Assert.Equal([(PacketType.PubRec, 1)], Ready());

        Assert.True(_ledger.Release(1, out var reason));
        Assert.Equal(ReasonCode.Success, reason);
        Admit(QoS.ExactlyOnce, 1);
    }

    [Fact]
    public void A_flood_of_repetitions_takes_no_memory()
    {
        Complete(Admit(QoS.ExactlyOnce, 1));
        Ready();
        Admit(QoS.AtLeastOnce, 2);

        for (var i = 0; i < 1_000; i++)
        {
            Assert.Equal(Admission.Duplicate, Repeat(1));
        }

        Assert.InRange(_ledger.Waiting, 1, 2);
    }

    [Fact]
    public void A_repetition_on_a_resumed_connection_attaches_to_the_running_handler()
    {
        var token = Admit(QoS.ExactlyOnce, 1);
        Resume();

        Assert.Equal(Admission.Duplicate, Repeat(1));
        Assert.Empty(Ready());
        Assert.True(Complete(token));
        Assert.Equal([(PacketType.PubRec, 1)], Ready());
    }

    [Fact]
    public void A_handler_that_ends_between_connections_answers_the_repetition_at_once()
    {
        var token = Admit(QoS.ExactlyOnce, 1);
        Complete(token);
        Resume();

        Assert.Equal(Admission.Duplicate, Repeat(1));
        Assert.Equal([(PacketType.PubRec, 1)], Ready());
    }

    [Fact]
    public void A_handler_that_ends_on_the_new_connection_before_the_repetition_answers_it_too()
    {
        var token = Admit(QoS.ExactlyOnce, 1);
        Resume();

        Assert.False(Complete(token));
        Assert.Empty(Ready());
        Assert.Equal(Admission.Duplicate, Repeat(1));
        Assert.Equal([(PacketType.PubRec, 1)], Ready());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_message_abandoned_between_connections_is_delivered_again(bool beforeResume)
    {
        var token = Admit(QoS.ExactlyOnce, 1);
        if (beforeResume)
        {
            Complete(token, abandoned: true);
            Resume();
        }
        else
        {
            Resume();
            Complete(token, abandoned: true);
        }

        Assert.Equal(Admission.Deliver, Repeat(1));
    }

    [Fact]
    public void A_QoS_2_token_of_a_lost_session_does_nothing()
    {
        var old = Admit(QoS.ExactlyOnce, 1);
        _ledger.Start(sessionKept: false, receiveMaximum: 4);
        Admit(QoS.ExactlyOnce, 1);

        Assert.False(Complete(old));
        Assert.Empty(Ready());
    }

    [Fact]
    public void An_old_token_does_not_end_a_new_message_with_the_same_identifier()
    {
        var old = Admit(QoS.ExactlyOnce, 1, handlers: 2);
        Complete(old, abandoned: true);
        Complete(old);
        Assert.Empty(Ready());
        var again = Admit(QoS.ExactlyOnce, 1);

        Assert.False(Complete(old));
        Assert.Empty(Ready());
        Assert.True(Complete(again));
    }

    [Fact(DisplayName = "[MQTT5-4.3.3-11] An unknown PUBREL is answered with 0x92")]
    public void An_unknown_PUBREL_is_answered_with_0x92()
    {
        Assert.True(_ledger.Release(9, out var reason));
        Assert.Equal(ReasonCode.PacketIdentifierNotFound, reason);
    }

    [Fact]
    public void A_PUBREL_before_PUBREC_is_a_violation()
    {
        Admit(QoS.ExactlyOnce, 1);

        Assert.False(_ledger.Release(1, out _));
    }

    [Fact]
    public void A_refusing_PUBREC_ends_the_exchange_and_gives_its_place_back()
    {
        for (ushort id = 1; id <= 4; id++)
        {
            Complete(Admit(QoS.ExactlyOnce, id), ReasonCode.QuotaExceeded);
        }

        Assert.Equal(4, Ready().Count);
        for (ushort id = 1; id <= 4; id++)
        {
            Admit(QoS.ExactlyOnce, id);
        }
    }

    [Fact]
    public void A_refusal_that_never_left_is_forgotten_with_the_connection()
    {
        Admit(QoS.AtLeastOnce, 1);
        Complete(Admit(QoS.ExactlyOnce, 2), ReasonCode.QuotaExceeded);
        Resume();

        Assert.Equal(Admission.Deliver, Repeat(2));
    }

    [Fact]
    public void Received_identifiers_survive_in_another_process()
    {
        Complete(Admit(QoS.ExactlyOnce, 1));
        Ready();
        Admit(QoS.ExactlyOnce, 2);
        Assert.Equal([1], _ledger.Received);

        var other = new AcknowledgementLedger();
        other.Restore(1);
        other.Start(sessionKept: true, receiveMaximum: 4);

        Assert.Equal(Admission.Duplicate, other.Admit(QoS.ExactlyOnce, 1, 1, isNew: false, out _));
        Assert.Equal(Admission.Deliver, other.Admit(QoS.ExactlyOnce, 2, 1, isNew: false, out _));
        Assert.True(other.Release(1, out var reason));
        Assert.Equal(ReasonCode.Success, reason);
    }

    [Fact]
    public void What_a_resumed_connection_repeats_counts_against_its_Receive_Maximum()
    {
        for (ushort id = 1; id <= 4; id++)
        {
            Complete(Admit(QoS.ExactlyOnce, id));
        }

        Ready();
        Resume();
        Assert.Equal(Admission.Duplicate, Repeat(1));
        Assert.Equal(Admission.Duplicate, Repeat(2));
        Assert.Equal([(PacketType.PubRec, 1), (PacketType.PubRec, 2)], Ready());
        Admit(QoS.AtLeastOnce, 9);
        Admit(QoS.AtLeastOnce, 10);

        Assert.Equal(Admission.ReceiveMaximumExceeded, _ledger.Admit(QoS.ExactlyOnce, 3, 1, isNew: false, out _));
    }

    [Fact]
    public void A_new_message_under_a_known_identifier_replaces_the_one_of_an_earlier_connection()
    {
        Complete(Admit(QoS.ExactlyOnce, 1));
        Ready();
        Resume();

        Assert.Equal(Admission.Deliver, _ledger.Admit(QoS.ExactlyOnce, 1, 1, isNew: true, out var token));
        Assert.Equal(Admission.Duplicate, _ledger.Admit(QoS.ExactlyOnce, 1, 1, isNew: true, out _));
        Assert.True(Complete(token));
        Assert.Equal([(PacketType.PubRec, 1)], Ready());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_handler_that_ends_after_its_slot_was_passed_over_answers_the_repetition(bool beforeResume)
    {
        var token = Admit(QoS.ExactlyOnce, 1);
        _ledger.Abandon(token.Sequence);
        Assert.Empty(Ready());
        if (beforeResume)
        {
            Assert.False(Complete(token));
            Resume();
        }
        else
        {
            Resume();
            Assert.Equal(Admission.Duplicate, Repeat(1));
            Assert.True(Complete(token));
            Assert.Equal([(PacketType.PubRec, 1)], Ready());
            return;
        }

        Assert.Equal(Admission.Duplicate, Repeat(1));
        Assert.Equal([(PacketType.PubRec, 1)], Ready());
    }

    [Fact]
    public void Before_5_0_there_is_no_refusal()
    {
        _ledger.Start(sessionKept: false, receiveMaximum: 4, hasReasons: false);
        Complete(Admit(QoS.ExactlyOnce, 1), ReasonCode.QuotaExceeded);

        Assert.True(_ledger.TryTakeReady(out var ack));
        Assert.Equal(ReasonCode.Success, ack.ReasonCode);
        Assert.True(_ledger.Release(1, out var reason));
        Assert.Equal(ReasonCode.Success, reason);
    }

    private Admission Repeat(ushort id) => _ledger.Admit(QoS.ExactlyOnce, id, 1, isNew: false, out _);
}
