using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>What waits for room is overtaken by nothing of its kind; and the budget counts all that is kept.</summary>
public sealed class OutboxOrderTests
{
    [Fact]
    public void QoS_0_does_not_overtake_QoS_0_that_waits_for_room()
    {
        var scene = new OutboxScene(new OutboxSettings { MaximumMessages = 1 });
        scene.Offer("t", "1");
        Assert.Equal(OutboxAdmission.MustWait, scene.Offer("t", "2", QoS.AtMostOnce));
        scene.Server.Accept();
        Assert.Equal(["PUBLISH 1 q1 t 1"], scene.Server.Sent());

        Assert.Equal(PublishStart.Accepted, scene.Engine.TryBuffer(new OutgoingPublish { Topic = "t"u8, Payload = "3"u8 }, out _));
        Assert.Equal(OutboxAdmission.MustWait, scene.Offer("t", "3", QoS.AtMostOnce));
        scene.Server.Answer(PacketType.PubAck, 1);
        scene.Collect();

        Assert.Equal(["2", "3"], scene.DrainAll());
        Assert.Equal(PublishStart.Buffered, scene.Engine.TryBuffer(new OutgoingPublish { Topic = "t"u8, Payload = "4"u8 }, out _));
    }

    [Fact]
    public void A_newer_value_does_not_overtake_one_of_its_topic_that_waits_for_room()
    {
        var scene = new OutboxScene(new OutboxSettings { MaximumMessages = 2, Overflow = OutboxOverflow.LatestPerTopic });
        scene.Offer("a", "a1", QoS.AtLeastOnce);
        scene.Offer("b", "b1", QoS.AtLeastOnce);
        scene.Offer("c", "c1", QoS.AtLeastOnce);
        scene.Offer("c", "c2", QoS.AtLeastOnce);
        scene.Outbound.Withdraw(new MessageTicket(scene.Handles["a1"], scene.Outbound.Messages[scene.Handles["a1"]].Generation), "a1", out _);
        scene.Collect();

        Assert.Equal(OutboxAdmission.MustWait, scene.Offer("c", "c3", QoS.AtLeastOnce));
        scene.Server.Accept();
        var sent = scene.DrainAll().Where(payload => payload[0] == 'c').ToList();

        Assert.Equal(sent.Order(StringComparer.Ordinal), sent);
        Assert.Equal("c3", sent[^1]);
    }

    [Fact]
    public void The_budget_counts_identifiers_as_they_are_kept()
    {
        var scene = new OutboxScene(new OutboxSettings { MaximumBytes = 10, Overflow = OutboxOverflow.Reject });

        Assert.Equal(OutboxAdmission.Admitted, scene.Offer("t", "1", id: "abc"));
        Assert.Equal(OutboxAdmission.Full, scene.Offer("t", "2", id: "defg"));
        Assert.Equal(OutboxAdmission.Admitted, scene.Offer("t", "3", id: "def"));
        Assert.Equal(10, scene.Outbound.Pending.Bytes);
    }
}
