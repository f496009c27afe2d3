using Nightjar.Protocol.Session;
using Xunit;

namespace Nightjar.Protocol.Tests.Session;

public sealed class ClientSessionTests
{
    [Fact(DisplayName = "[MQTT5-4.9.0-2] No more than Receive Maximum are on the wire")]
    public void The_window_is_respected()
    {
        var session = Open(receiveMaximum: 2);

        var first = Publish(session, 1);
        Publish(session, 2);
        Assert.False(session.CanPublish);

        session.HandlePubAck(first, out _);
        Assert.True(session.CanPublish);
    }

    [Fact]
    public void The_hosts_own_bound_counts_if_it_is_lower()
    {
        var session = new ClientSession(maximumInFlight: 1);
        session.StartOver(receiveMaximum: 100, [], []);

        Publish(session, 1);

        Assert.False(session.CanPublish);
    }

    [Fact]
    public void A_QoS_2_message_holds_its_place_until_PUBCOMP()
    {
        var session = Open(receiveMaximum: 1);
        var id = Publish(session, 1, QoS.ExactlyOnce);

        Assert.Equal(AckEffect.Released, session.HandlePubRec(id, ReasonCode.Success, out var handle, out _));
        Assert.Equal(1, handle);
        Assert.False(session.CanPublish);

        Assert.Equal(AckEffect.Completed, session.HandlePubComp(id, out _));
        Assert.True(session.CanPublish);
        Assert.Equal(0, session.InFlight);
    }

    [Fact]
    public void A_full_window_leaves_identifiers_for_SUBSCRIBE()
    {
        var session = Open(ushort.MaxValue);
        while (session.CanPublish)
        {
            Publish(session, 0);
        }

        for (var i = 0; i < ClientSession.IdsKeptForSubscribe; i++)
        {
            Assert.True(session.CanRequest);
            Assert.NotEqual(0, session.Request(InFlightPhase.SubAck, handle: i));
        }

        Assert.False(session.CanRequest);
    }

    [Fact]
    public void Messages_that_no_connection_takes_leave_identifiers_for_SUBSCRIBE_too()
    {
        var session = Open(ushort.MaxValue);
        for (var connection = 0; connection < 3; connection++)
        {
            while (session.CanPublish)
            {
                Publish(session, 0);
            }

            session.Resume(ushort.MaxValue);
            while (session.TryPeekResend(out _, out _))
            {
                session.Skipped();
            }
        }

        Assert.True(session.InFlight <= ushort.MaxValue - ClientSession.IdsKeptForSubscribe);
        Assert.True(session.CanRequest);
    }

    [Fact(DisplayName = "[MQTT5-4.6.0-1] A resumed session repeats PUBLISHes in their original order")]
    public void Resume_repeats_in_the_original_order()
    {
        var session = Open(10);
        ushort[] ids = [.. Enumerable.Range(0, 6).Select(i => Publish(session, i, i % 2 == 0 ? QoS.AtLeastOnce : QoS.ExactlyOnce))];
        session.HandlePubAck(ids[2], out _);

        session.Resume(10);

        Assert.Equal([0, 1, 3, 4, 5], Resend(session));
        Assert.True(session.CanPublish);
    }

    [Fact(DisplayName = "[MQTT5-4.6.0-4] PUBRELs come first, in the order of their PUBRECs")]
    public void Resume_repeats_PUBRELs_first_and_in_the_order_of_their_PUBRECs()
    {
        var session = Open(10);
        ushort[] ids = [.. Enumerable.Range(0, 4).Select(i => Publish(session, i, QoS.ExactlyOnce))];
        session.HandlePubRec(ids[3], ReasonCode.Success, out _, out _);
        session.HandlePubRec(ids[1], ReasonCode.Success, out _, out _);

        session.Resume(10);

        Assert.False(session.TryPeekResend(out _, out _));
        Assert.True(session.TryTakeRelease(out var first));
        Assert.True(session.TryTakeRelease(out var second));
        Assert.False(session.TryTakeRelease(out _));
        Assert.Equal([ids[3], ids[1]], [first, second]);
        Assert.Equal([0, 2], Resend(session));
    }

    [Fact(DisplayName = "[MQTT5-3.3.4-7] What is repeated counts against the new Receive Maximum")]
    public void Resume_stays_within_the_new_window()
    {
        var session = Open(10);
        ushort[] ids = [.. Enumerable.Range(0, 5).Select(i => Publish(session, i))];

        session.Resume(receiveMaximum: 2);

        Assert.Equal([0, 1], Resend(session));
        Assert.False(session.CanPublish);
        session.HandlePubAck(ids[0], out _);
        Assert.Equal([2], Resend(session));
        session.HandlePubAck(ids[1], out _);
        session.HandlePubAck(ids[2], out _);
        Assert.Equal([3, 4], Resend(session));
        Assert.False(session.CanPublish);
    }

    [Fact]
    public void Released_messages_of_before_count_against_the_new_window()
    {
        var session = Open(10);
        ushort[] ids = [.. Enumerable.Range(0, 3).Select(i => Publish(session, i, QoS.ExactlyOnce))];
        session.HandlePubRec(ids[0], ReasonCode.Success, out _, out _);
        session.HandlePubRec(ids[1], ReasonCode.Success, out _, out _);

        session.Resume(receiveMaximum: 2);
        while (session.TryTakeRelease(out _))
        {
        }

        Assert.Empty(Resend(session));
        session.HandlePubComp(ids[0], out _);
        Assert.Equal([2], Resend(session));
    }

    [Fact]
    public void A_skipped_message_costs_no_place_and_is_tried_on_the_next_connection()
    {
        var session = Open(10);
        Publish(session, 0);
        Publish(session, 1);

        session.Resume(receiveMaximum: 1);
        Assert.True(session.TryPeekResend(out _, out var handle));
        Assert.Equal(0, handle);
        session.Skipped();
        Assert.Equal([1], Resend(session));
        Assert.Equal(2, session.InFlight);

        session.Resume(receiveMaximum: 10);
        Assert.Equal([0, 1], Resend(session));
    }

    [Fact]
    public void An_answer_to_what_was_not_repeated_yet_is_taken()
    {
        var session = Open(10);
        var first = Publish(session, 0, QoS.ExactlyOnce);
        var second = Publish(session, 1);
        session.Resume(receiveMaximum: 10);

        Assert.Equal(AckEffect.Released, session.HandlePubRec(first, ReasonCode.Success, out _, out _));
        Assert.Equal([1], Resend(session));
        Assert.Equal(AckEffect.Completed, session.HandlePubAck(second, out _));
        Assert.Equal(AckEffect.Completed, session.HandlePubComp(first, out _));
        Assert.Equal(0, session.InFlight);
        Assert.True(session.CanPublish);
    }

    [Fact]
    public void Late_and_unknown_acknowledgements_are_counted()
    {
        var session = Open(10);
        var id = Publish(session, 1);
        var exactlyOnce = Publish(session, 2, QoS.ExactlyOnce);
        session.HandlePubAck(id, out _);

        Assert.Equal(AckEffect.Unknown, session.HandlePubAck(id, out var handle));
        Assert.Equal(-1, handle);
        Assert.Equal(AckEffect.Unknown, session.HandlePubAck(exactlyOnce, out _));
        Assert.Equal(AckEffect.Unknown, session.HandlePubComp(exactlyOnce, out _));
        Assert.Equal(AckEffect.Unknown, session.HandlePubRec(9, ReasonCode.Success, out _, out _));
        Assert.Equal(4, session.UnknownAcks);
        Assert.Equal(1, session.InFlight);
    }

    [Fact(DisplayName = "[MQTT5-4.3.3-4] A PUBREC that refuses ends the exchange")]
    public void A_refusing_PUBREC_ends_the_exchange()
    {
        var session = Open(1);
        var id = Publish(session, 5, QoS.ExactlyOnce);

        Assert.Equal(AckEffect.Completed, session.HandlePubRec(id, ReasonCode.NotAuthorized, out var handle, out _));

        Assert.Equal(5, handle);
        Assert.True(session.CanPublish);
    }

    [Fact]
    public void A_repeated_PUBREC_releases_again()
    {
        var session = Open(1);
        var id = Publish(session, 5, QoS.ExactlyOnce);
        session.HandlePubRec(id, ReasonCode.Success, out _, out _);

        Assert.Equal(AckEffect.ReleasedAgain, session.HandlePubRec(id, ReasonCode.Success, out _, out _));

        Assert.Equal(1, session.InFlight);
    }

    [Fact]
    public void A_lost_session_gives_everything_back_in_order()
    {
        var session = Open(10);
        ushort[] ids = [.. Enumerable.Range(0, 5).Select(i => Publish(session, i, QoS.ExactlyOnce))];
        session.HandlePubRec(ids[1], ReasonCode.Success, out _, out _);
        List<int> released = [], unreleased = [];

        session.StartOver(receiveMaximum: 10, released, unreleased);

        Assert.Equal([1], released);
        Assert.Equal([0, 2, 3, 4], unreleased);
        Assert.Equal(0, session.InFlight);
        Assert.True(session.CanPublish);
    }

    [Fact]
    public void A_session_of_an_earlier_process_goes_on()
    {
        var session = Open(10);
        ushort[] ids = [.. Enumerable.Range(0, 4).Select(i => Publish(session, i, i == 0 ? QoS.AtLeastOnce : QoS.ExactlyOnce))];
        session.HandlePubRec(ids[2], ReasonCode.Success, out _, out _);

        var other = new ClientSession(10);
        foreach (var (id, handle, exactlyOnce) in session.Publishes)
        {
            Assert.True(other.Restore(id, exactlyOnce ? InFlightPhase.PubRec : InFlightPhase.PubAck, handle));
        }

        foreach (var (id, handle) in session.Releases)
        {
            Assert.True(other.Restore(id, InFlightPhase.PubComp, handle));
        }

        Assert.False(other.Restore(ids[0], InFlightPhase.PubAck, 9));
        other.Resume(receiveMaximum: 10);

        Assert.True(other.TryTakeRelease(out var release));
        Assert.Equal(ids[2], release);
        Assert.Equal([0, 1, 3], Resend(other));
        Assert.DoesNotContain(Publish(other, 9), ids);
        Assert.Equal(AckEffect.Completed, other.HandlePubAck(ids[0], out var handleOfFirst));
        Assert.Equal(0, handleOfFirst);
        Assert.Equal(AckEffect.Released, other.HandlePubRec(ids[1], ReasonCode.Success, out _, out _));
    }

    [Fact]
    public void A_request_ends_once_and_with_the_right_answer_only()
    {
        var session = Open(10);
        var id = session.Request(InFlightPhase.SubAck, handle: 5);

        Assert.Null(session.EndRequest(InFlightPhase.UnsubAck, id));
        Assert.Equal(5, session.EndRequest(InFlightPhase.SubAck, id));
        Assert.Null(session.EndRequest(InFlightPhase.SubAck, id));
    }

    internal static ClientSession Open(int receiveMaximum)
    {
        var session = new ClientSession(ushort.MaxValue);
        session.StartOver(receiveMaximum, [], []);
        return session;
    }

    private static ushort Publish(ClientSession session, int handle, QoS qos = QoS.AtLeastOnce) => session.Publish(qos, handle, out _);

    private static List<int> Resend(ClientSession session)
    {
        var handles = new List<int>();
        while (session.TryPeekResend(out _, out var handle))
        {
            handles.Add(handle);
            session.Resent();
        }

        return handles;
    }
}
