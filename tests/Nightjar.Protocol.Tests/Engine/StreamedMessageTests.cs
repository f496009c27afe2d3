using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Xunit;
using static Nightjar.Protocol.Tests.Engine.Simulated.LargeMessageScene;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>Messages that are larger than what is held whole, taken as they arrive.</summary>
public sealed class StreamedMessageTests
{
    [Fact]
    public void A_stream_is_routed_with_its_first_bytes_and_its_payload_follows_in_order()
    {
        var server = Streaming();
        var text = string.Concat(Enumerable.Range(0, 50).Select(i => $"{i:D4}"));
        var bytes = server.Publish("t", text, QoS.AtLeastOnce, 7);
        server.Driver.Receive(bytes.AsSpan(0, 12));
        Assert.Equal("200 to come", server.Driver.Arrived.Single().Payload);

        foreach (var part in bytes[12..].Chunk(7))
        {
            server.Driver.Receive(part);
        }

        Assert.Equal(text, string.Concat(server.Driver.Streamed));
        Assert.Empty(server.Sent());
        server.Driver.Complete(server.Driver.Arrived.Single().Token);
        Assert.Equal(["PUBACK 7"], server.Sent());
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce, "PUBACK 7")]
    [InlineData(QoS.ExactlyOnce, "PUBREC 7")]
    public void A_handler_that_ends_early_waits_for_the_last_byte_to_be_acknowledged(QoS qos, string answer)
    {
        var server = Streaming();
        var bytes = server.Publish("t", Large, qos, 7);
        server.Driver.Receive(bytes.AsSpan(0, 50));

        server.Driver.Complete(server.Driver.Arrived.Single().Token);
        Assert.Empty(server.Sent());
        server.Driver.Receive(bytes.AsSpan(50));

        Assert.Equal([answer], server.Sent());
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce, "PUBACK 7")]
    [InlineData(QoS.ExactlyOnce, "PUBREC 7")]
    public void A_stream_that_is_cut_is_delivered_again_from_its_beginning(QoS qos, string answer)
    {
        var server = Streaming();
        server.Driver.Receive(server.Publish("t", Large, qos, 7).AsSpan(0, 150));
        var cut = server.Driver.Arrived.Single().Token;
        server.Reconnect();
        server.Driver.Receive(server.Publish("t", Large, qos, 7, duplicate: true).AsSpan(0, 150));
        Assert.Equal(2, server.Driver.Arrived.Count);

        // Only now does the handler of the first connection notice; whatever it says, it says of something that is over.
        server.Driver.Complete(cut);
        server.Driver.Complete(cut, abandoned: true);
        Assert.Empty(server.Sent());
        server.Driver.Receive(server.Publish("t", Large, qos, 7, duplicate: true).AsSpan(150));
        Assert.Empty(server.Sent());
        server.Driver.Complete(server.Driver.Arrived[1].Token);

        Assert.Equal([answer], server.Sent());
    }

    [Fact]
    public void A_stream_of_QoS_2_that_came_whole_is_not_delivered_again()
    {
        var server = Streaming();
        server.Send("t", Large, QoS.ExactlyOnce, 7);
        server.Reconnect();
        var pieces = server.Driver.Streamed.Count;

        server.Send("t", Large, QoS.ExactlyOnce, 7, duplicate: true);
        server.Driver.Complete(server.Driver.Arrived.Single().Token);

        Assert.Equal(["PUBREC 7"], server.Sent());
        Assert.Equal(pieces, server.Driver.Streamed.Count);
    }

    [Fact]
    public void Other_subscriptions_do_not_get_what_only_a_stream_can_hold()
    {
        var server = Streaming();
        server.Driver.Subscribe("#");
        server.Send(new SubAckPacket { PacketId = 2, ReasonCodes = [ReasonCode.GrantedQoS2] });
        server.Sent();

        server.Send("t", Large, QoS.AtLeastOnce, 7);

        Assert.True(server.Driver.Arrived.Single().Subscription.TakesStreams);
        Assert.Equal("#", Assert.Single(server.Driver.Outputs.OfType<EngineOutput.Skipped>()).Filter);
        server.Driver.Complete(server.Driver.Arrived.Single().Token);
        Assert.Equal(["PUBACK 7"], server.Sent());
    }

    [Fact]
    public void A_stream_that_takes_long_to_arrive_is_held_by_nobody_before_its_last_byte()
    {
        const long Second = TimeSpan.TicksPerSecond;
        var server = Streaming(settings => settings with { HandlerWarning = 30 * Second, HandlerTimeout = 40 * Second });
        var bytes = server.Publish("t", Large, QoS.AtLeastOnce, 7);
        server.Driver.Receive(bytes.AsSpan(0, 20));
        for (var i = 1; i < 10; i++)
        {
            server.Driver.AdvanceTo(i * 20 * Second);
            server.Sent(); // pings
            server.Driver.Receive(bytes.AsSpan(i * 20, 20));
        }

        server.Driver.AdvanceTo(200 * Second);
        server.Driver.Receive(bytes.AsSpan(200));
        Assert.DoesNotContain(server.Driver.Outputs, output => output is EngineOutput.HandlerStalled or EngineOutput.HandlerTimedOut);
        Assert.Equal(0, server.Engine.Ledger.Abandoned);
        server.Driver.AdvanceTo(230 * Second);

        Assert.Equal(30 * Second, Assert.Single(server.Driver.Outputs.OfType<EngineOutput.HandlerStalled>()).Held.For);
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void Who_does_not_get_a_stream_is_not_said_to_hold_it(QoS qos)
    {
        var server = Streaming();
        var streams = server.Driver.Arrived;
        server.Driver.Subscribe("+");
        server.Driver.Subscribe("#");
        var bytes = server.Publish("t", Large, qos, 7);
        server.Driver.Receive(bytes);
        Assert.Equal("t", Assert.Single(streams).Subscription.TopicFilter.Text);

        server.Driver.AdvanceTo(30 * TimeSpan.TicksPerSecond);

        Assert.Equal(["t"], server.Driver.Outputs.OfType<EngineOutput.HandlerStalled>().Select(o => o.Held.Subscription?.TopicFilter.Text));
    }

    [Fact]
    public void What_no_stream_takes_is_skipped_even_where_larger_packets_were_announced()
    {
        var server = Streaming();
        server.Driver.Subscribe("other");
        server.Send(new SubAckPacket { PacketId = 2, ReasonCodes = [ReasonCode.GrantedQoS2] });
        server.Sent();

        server.Send("other", Large, QoS.AtLeastOnce, 7);

        Assert.Equal(["PUBACK 7 0x83"], server.Sent());
        Assert.Null(server.LastDisconnect);
    }

    [Fact]
    public void Streams_have_a_limit_too()
    {
        var server = Streaming();

        server.Driver.Receive([0x30, 0xFF, 0x7F]);

        Assert.Equal(["DISCONNECT 0x95"], server.Sent());
        Assert.Contains("16386 bytes, and 1000 are allowed", server.LastDisconnect!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void With_skipping_a_stream_beyond_its_limit_is_skipped()
    {
        var server = Streaming(s => s with { OversizedPackets = OversizedPackets.Skip });

        server.Send("t", new string('x', 2000), QoS.AtLeastOnce, 7);

        Assert.Equal(["PUBACK 7 0x83"], server.Sent());
        Assert.Empty(server.Driver.Arrived);
    }
}
