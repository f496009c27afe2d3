using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>Messages that wait too long, by their own time or by that of the outbox.</summary>
public sealed class MessageExpiryTests
{
    private const long Second = OutboxScene.Second;

    [Fact(DisplayName = "[MQTT5-3.3.2-6] What is left of a message's time goes out with it, rounded up")]
    public void What_is_left_of_a_messages_time_goes_out_with_it()
    {
        var scene = new OutboxScene(new OutboxSettings());
        scene.Offer("t", "a", timeToLive: 60 * Second);
        scene.AdvanceTo((10 * Second) - 1);
        scene.Offer("t", "b", timeToLive: 60 * Second);
        scene.AdvanceTo(10 * Second);

        scene.Server.Accept();

        Assert.Equal(["PUBLISH 1 q1 t expires in 50 a", "PUBLISH 2 q1 t expires in 60 b"], scene.Server.Sent());
    }

    [Fact]
    public void A_message_is_never_sent_as_expired_that_is_not()
    {
        var scene = new OutboxScene(new OutboxSettings());
        scene.Offer("t", "a", timeToLive: 2 * Second);
        scene.AdvanceTo((2 * Second) - 1);

        scene.Server.Accept();

        Assert.Equal(["PUBLISH 1 q1 t expires in 1 a"], scene.Server.Sent());
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt5)]
    [InlineData(MqttVersion.Mqtt311)]
    public void A_message_whose_time_is_over_ends_at_that_moment_without_a_connection(MqttVersion version)
    {
        var scene = new OutboxScene(new OutboxSettings(), version);
        scene.Offer("t", "q0", QoS.AtMostOnce, timeToLive: 30 * Second);
        scene.Offer("t", "q1", timeToLive: 30 * Second);
        scene.Offer("t", "stays");
        scene.Driver.FailDial(Servers.Refused);

        scene.AdvanceTo((30 * Second) - 1);
        Assert.Empty(scene.Ends);
        Assert.True(scene.Engine.Deadline <= 30 * Second);
        scene.AdvanceTo(30 * Second);

        Assert.Equal(["q0 Dropped Expired", "q1 Dropped Expired"], scene.Ends.Order(StringComparer.Ordinal));
        Assert.All(scene.Drops, drop => Assert.Equal(MessageDropReason.Expired, drop.Reason));
        Assert.Equal(2, scene.Engine.Counters.OutboxDropped[(int)MessageDropReason.Expired]);
        Assert.Equal(1, scene.Outbound.Queued);
    }

    [Fact]
    public void A_message_that_was_sent_never_expires_and_is_not_altered()
    {
        var scene = new OutboxScene(new OutboxSettings());
        scene.Server.Engine.Connect(0);
        scene.Server.Accept();
        scene.Offer("t", "a", timeToLive: 30 * Second);
        Assert.Equal(["PUBLISH 1 q1 t expires in 30 a"], scene.Server.Sent());

        scene.Driver.Lose();
        scene.AdvanceTo(100 * Second);
        Assert.Empty(scene.Ends);
        scene.Server.Accept(new ConnAckPacket { SessionPresent = true });
        Assert.Equal(["PUBLISH 1 q1 dup t expires in 30 a"], scene.Server.Sent());

        // Nor does a lost session make it one that never left.
        scene.Driver.Lose();
        scene.AdvanceTo(200 * Second);
        scene.Server.Accept();
        Assert.Equal("PUBLISH 2 q1 t expires in 30 a", Assert.Single(scene.Server.Sent()));
        Assert.Empty(scene.Drops);
    }

    [Fact]
    public void The_age_of_the_outbox_ends_messages_too()
    {
        var scene = new OutboxScene(new OutboxSettings { MaximumAge = 20 * Second });
        scene.Offer("t", "old");
        scene.Offer("t", "short", timeToLive: 10 * Second);
        scene.Offer("t", "long", timeToLive: 60 * Second);
        scene.AdvanceTo(5 * Second);
        scene.Offer("t", "young");

        scene.AdvanceTo(20 * Second);

        Assert.Equal(["short Dropped Expired", "long Dropped TooOld", "old Dropped TooOld"], scene.Ends.OrderBy(end => !end.StartsWith("short", StringComparison.Ordinal)).ThenBy(end => end, StringComparer.Ordinal));
        scene.AdvanceTo(25 * Second);
        Assert.Equal("young Dropped TooOld", scene.Ends[^1]);
    }

    [Fact]
    public void The_age_of_the_outbox_does_not_shorten_what_the_server_is_told()
    {
        var scene = new OutboxScene(new OutboxSettings { MaximumAge = 20 * Second });
        scene.Offer("t", "long", timeToLive: 60 * Second);
        scene.AdvanceTo(10 * Second);

        scene.Server.Accept();

        Assert.Equal(["PUBLISH 1 q1 t expires in 50 long"], scene.Server.Sent());
    }

    [Fact]
    public void An_expired_message_is_not_sent_even_if_time_was_not_told_before()
    {
        var scene = new OutboxScene(new OutboxSettings());
        scene.Server.Engine.Connect(0);
        scene.Server.Accept(new ConnAckPacket { ReceiveMaximum = 1 });
        scene.Offer("t", "a");
        scene.Offer("t", "b", timeToLive: 5 * Second);
        Assert.Single(scene.Server.Sent());

        scene.Driver.Now = 6 * Second;
        scene.Server.Answer(PacketType.PubAck, 1);
        scene.Collect();

        Assert.Empty(scene.Server.Sent());
        Assert.Equal(["a Answered", "b Dropped Expired"], scene.Ends);
    }

    [Fact]
    public void Messages_that_leave_in_time_are_forgotten_here_too()
    {
        var store = new MessageStore();
        var expiry = new MessageExpiry(store);
        for (var i = 0; i < 10_000; i++)
        {
            var handle = store.Add(new OutgoingPublish { Topic = "t"u8 }, waiter: null);
            expiry.Add(new MessageTicket(handle, store[handle].Generation), 1_000_000 + i);
            store.Remove(handle);
        }

        Assert.True(expiry.Deadline >= 1_000_000 + 9_900, $"{expiry.Deadline}");
    }

    [Fact]
    public void What_expired_made_room()
    {
        var scene = new OutboxScene(new OutboxSettings { MaximumMessages = 1 });
        scene.Offer("t", "a", timeToLive: 5 * Second);
        Assert.Equal(OutboxAdmission.MustWait, scene.Offer("t", "b"));

        scene.AdvanceTo(5 * Second);

        Assert.Equal(0, scene.Outbound.WaitingForRoom);
        scene.Server.Accept();
        Assert.Equal(["b"], scene.DrainAll());
    }
}
