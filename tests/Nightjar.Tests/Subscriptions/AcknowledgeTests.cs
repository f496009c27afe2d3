using System.Threading.Channels;
using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Tests.Subscriptions;

/// <summary>When and how messages are acknowledged.</summary>
public sealed class AcknowledgeTests
{
    private static readonly SubscribeOptions Manual = new() { Acknowledge = AcknowledgeMode.Manual, QoS = QoS.ExactlyOnce };

    private readonly Channel<MqttMessage> _received = Channel.CreateUnbounded<MqttMessage>();

    [Fact]
    public async Task At_arrival_a_message_is_acknowledged_whatever_its_handler_does()
    {
        await using var scene = await PeerScene.StartAsync();
        var gate = new TaskCompletionSource();
        scene.Client.On(
            "t",
            async message =>
            {
                await gate.Task;
                message.LeaveUnacknowledged();
                await _received.Writer.WriteAsync(message);
                throw new InvalidOperationException("too late to matter");
            },
            new SubscribeOptions { Acknowledge = AcknowledgeMode.AtArrival, QoS = QoS.ExactlyOnce });
        await scene.Peer.GrantAsync();

        await scene.SendAsync("t", "1", 1);
        await scene.AckAsync(1);
        await scene.SendAsync("t", "2", 2, QoS.ExactlyOnce);
        await scene.Peer.ExpectAckAsync(PacketType.PubRec, 2);

        Assert.Equal(0, scene.Client.Status.Unacknowledged);
        gate.SetResult();
        Assert.Equal("1", (await _received.Reader.ReadAsync().Soon()).Text);
        await scene.ExpectNothingAsync();
    }

    [Fact]
    public async Task By_hand_a_message_is_acknowledged_long_after_its_handler_ended_from_any_thread_and_once()
    {
        await using var scene = await PeerScene.StartAsync();
        scene.Client.On("t", _received.Writer.WriteAsync, Manual);
        await scene.Peer.GrantAsync();
        await scene.SendAsync("t", "1", 1);
        await scene.SendAsync("t", "2", 2);
        var (first, second) = (await _received.Reader.ReadAsync().Soon(), await _received.Reader.ReadAsync().Soon());
        await scene.ExpectNothingAsync();

        await Task.Run(() => second.Acknowledge());
        await scene.ExpectNothingAsync();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => first.Acknowledge())));

        await scene.AckAsync(1, 2);
        second.LeaveUnacknowledged();
        first.Acknowledge(ReasonCode.QuotaExceeded);
        await scene.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce, PacketType.PubAck)]
    [InlineData(QoS.ExactlyOnce, PacketType.PubRec)]
    public async Task By_hand_a_message_can_be_refused_with_a_reason(QoS qos, PacketType type)
    {
        await using var scene = await PeerScene.StartAsync();
        scene.Client.On("t", message => message.Acknowledge(ReasonCode.PayloadFormatInvalid), Manual);
        await scene.Peer.GrantAsync();

        await scene.SendAsync("t", "1", 1, qos);

        Assert.Equal(ReasonCode.PayloadFormatInvalid, (await scene.Peer.ExpectAckAsync(type, 1)).ReasonCode);
    }

    [Fact]
    public async Task A_refusal_that_the_protocol_does_not_know_says_so()
    {
        await using var scene = await PeerScene.StartAsync();
        scene.Client.On("t", _received.Writer.WriteAsync, Manual);
        await scene.Peer.GrantAsync();
        await scene.SendAsync("t", "1", 1);
        var message = await _received.Reader.ReadAsync().Soon();

        Assert.Throws<ArgumentOutOfRangeException>(() => message.Acknowledge(ReasonCode.NoMatchingSubscribers));
        Assert.Throws<ArgumentOutOfRangeException>(() => message.Acknowledge(ReasonCode.ServerBusy));
        Assert.Throws<ArgumentOutOfRangeException>(() => MessageOutcome.Refuse(ReasonCode.Success));

        message.Acknowledge();
        await scene.AckAsync(1);
    }

    [Fact]
    public async Task Before_5_0_a_refusal_is_refused_and_the_message_can_still_be_acknowledged()
    {
        await using var scene = await PeerScene.StartAsync(options => options.Version = MqttVersion.Mqtt311);
        scene.Client.On("t", _received.Writer.WriteAsync, Manual);
        await scene.Peer.GrantAsync();
        await scene.SendAsync("t", "1", 1);
        var message = await _received.Reader.ReadAsync().Soon();

        var error = Assert.Throws<NotSupportedException>(() => message.Acknowledge(ReasonCode.QuotaExceeded));

        Assert.Contains("LeaveUnacknowledged", error.Message, StringComparison.Ordinal);
        await scene.ExpectNothingAsync();
        message.Acknowledge();
        await scene.AckAsync(1);
    }

    [Fact]
    public async Task By_hand_a_message_of_an_earlier_connection_does_nothing_at_qos_1_and_is_found_again_at_qos_2()
    {
        await using var scene = await PeerScene.StartAsync();
        scene.Client.On("t", _received.Writer.WriteAsync, Manual);
        await scene.Peer.GrantAsync();
        await scene.SendAsync("t", "1", 1);
        await scene.SendAsync("t", "2", 2, QoS.ExactlyOnce);
        var (first, second) = (await _received.Reader.ReadAsync().Soon(), await _received.Reader.ReadAsync().Soon());
        await scene.Peer.CloseAsync();
        await scene.Time.WaitForTimerAsync(TimeSpan.FromSeconds(1)).Soon();
        scene.Time.Advance(TimeSpan.FromSeconds(1));
        await scene.Peer.AcceptClientAsync(new ConnAckPacket { SessionPresent = true });

        await scene.SendAsync("t", "2", 2, QoS.ExactlyOnce, duplicate: true);
        await scene.SendAsync("t", "1", 1, duplicate: true);
        var again = await _received.Reader.ReadAsync().Soon();
        Assert.Equal("1", again.Text);
        first.Acknowledge();
        await scene.ExpectNothingAsync();

        second.Acknowledge();
        await scene.Peer.ExpectAckAsync(PacketType.PubRec, 2);
        await scene.ExpectNothingAsync();
        again.Acknowledge();
        await scene.AckAsync(1);
    }

    [Fact]
    public async Task What_the_handler_forgot_is_acknowledged_when_it_ends_if_that_is_wished()
    {
        await using var scene = await PeerScene.StartAsync();
        scene.Client.On(
            "t",
            message =>
            {
                if (message.Text == "refuse")
                {
                    message.Acknowledge(ReasonCode.NotAuthorized);
                }
            },
            Manual with { AcknowledgeForgotten = true });
        await scene.Peer.GrantAsync();

        await scene.SendAsync("t", "forget", 1);
        await scene.SendAsync("t", "refuse", 2);

        Assert.Equal(ReasonCode.Success, (await scene.Peer.ExpectAckAsync(PacketType.PubAck, 1)).ReasonCode);
        Assert.Equal(ReasonCode.NotAuthorized, (await scene.Peer.ExpectAckAsync(PacketType.PubAck, 2)).ReasonCode);
        await scene.ExpectNothingAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_handler_can_leave_a_message_unacknowledged(bool leased)
    {
        await using var scene = await PeerScene.StartAsync();
        if (leased)
        {
            scene.Client.OnLeased("t", message =>
            {
                if (message.PacketId == 1)
                {
                    message.LeaveUnacknowledged();
                }
            });
        }
        else
        {
            scene.Client.On("t", async message =>
            {
                await Task.Yield();
                if (message.PacketId == 1)
                {
                    message.LeaveUnacknowledged();
                }
            });
        }

        await scene.Peer.GrantAsync();
        await scene.SendAsync("t", "1", 1);
        await scene.SendAsync("t", "2", 2);

        await scene.AckAsync(2);
        await scene.ExpectNothingAsync();
        Assert.Equal(0, scene.Client.Status.Unacknowledged);
    }

    [Fact]
    public async Task A_leased_message_hands_out_what_acknowledges_it()
    {
        await using var scene = await PeerScene.StartAsync();
        var acknowledgements = Channel.CreateUnbounded<MessageAcknowledgement?>();
        scene.Client.OnLeased(
            "t",
            message =>
            {
                Assert.Same(message.Acknowledgement, message.Acknowledgement);
                acknowledgements.Writer.TryWrite(message.Acknowledgement);
                _received.Writer.TryWrite(message.ToMessage());
            },
            Manual);
        await scene.Peer.GrantAsync();
        await scene.SendAsync("t", "1", 1);
        await scene.SendQoS0Async("t", "0");
        var acknowledgement = (await acknowledgements.Reader.ReadAsync().Soon())!;
        Assert.Null(await acknowledgements.Reader.ReadAsync().Soon());
        await scene.ExpectNothingAsync();
        Assert.False(acknowledgement.IsSettled);

        (await _received.Reader.ReadAsync().Soon()).Acknowledge();
        (await _received.Reader.ReadAsync().Soon()).Acknowledge();

        await scene.AckAsync(1);
        Assert.True(acknowledgement.IsSettled);
        acknowledgement.Acknowledge();
        await scene.ExpectNothingAsync();
    }

    [Fact]
    public async Task Of_two_handlers_each_acknowledges_for_itself_however_often()
    {
        await using var scene = await PeerScene.StartAsync();
        scene.Client.On("a/b", message =>
        {
            message.Acknowledge();
            message.Acknowledge();
            _received.Writer.TryWrite(message);
        });
        scene.Client.On("a/+", _received.Writer.WriteAsync, Manual);
        await scene.Peer.GrantAsync("a/+");

        await scene.SendAsync("a/b", "1", 1);
        var messages = new[] { await _received.Reader.ReadAsync().Soon(), await _received.Reader.ReadAsync().Soon() };
        await scene.ExpectNothingAsync();

        messages[0].Acknowledge();
        messages[1].Acknowledge();

        await scene.AckAsync(1);
    }

    [Fact]
    public async Task In_a_loop_by_hand_asking_for_the_next_message_acknowledges_nothing()
    {
        await using var scene = await PeerScene.StartAsync();
        var subscription = scene.Client.Subscribe("t", Manual);
        await scene.Peer.GrantAsync();
        await scene.SendAsync("t", "1", 1);
        await scene.SendAsync("t", "2", 2);
        var messages = new List<MqttMessage>();
        await foreach (var message in subscription)
        {
            messages.Add(message);
            if (messages.Count == 2)
            {
                break;
            }
        }

        await scene.ExpectNothingAsync();
        messages.ForEach(message => message.Acknowledge());
        await scene.AckAsync(1, 2);
    }

    [Fact]
    public async Task A_handler_that_holds_a_message_shows_in_status_and_events_and_after_the_timeout_lets_others_pass()
    {
        await using var scene = await PeerScene.StartAsync(options => options.Receive.HandlerTimeout = TimeSpan.FromMinutes(2));
        await using var events = new EventReader(scene.Client);
        var gate = new TaskCompletionSource();
        scene.Client.On("stuck", async message =>
        {
            _received.Writer.TryWrite(message);
            await gate.Task;
        });
        scene.Client.On("fine", message => _received.Writer.TryWrite(message));
        for (var subscriptions = 0; subscriptions < 2;)
        {
            subscriptions += (await scene.Peer.GrantAsync()).Subscriptions.Count;
        }

        await scene.SendAsync("stuck", "1", 1);
        await _received.Reader.ReadAsync().Soon();
        await scene.SendAsync("fine", "2", 2);
        await _received.Reader.ReadAsync().Soon();
        Assert.Empty(scene.Client.Status.Held);

        await scene.PassAsync(TimeSpan.FromSeconds(31));

        Assert.Equal(new HeldMessage("stuck", "stuck", 1, TimeSpan.FromSeconds(31)), Assert.Single(scene.Client.Status.Held));
        Assert.Equal("stuck", (await events.NextAsync<ClientEvent.HandlerStalled>()).Message.Filter);
        await scene.ExpectNothingAsync();

        await scene.PassAsync(TimeSpan.FromSeconds(90));

        await scene.AckAsync(2);
        var timedOut = await events.NextAsync<ClientEvent.HandlerTimedOut>();
        Assert.Equal(("stuck", 1), (timedOut.First.Filter, timedOut.Count));
        gate.SetResult();
        await scene.ExpectNothingAsync();
        Assert.Empty(scene.Client.Status.Held);
    }

    [Fact]
    public async Task With_a_timeout_a_handler_that_blocks_its_thread_holds_back_no_acknowledgement_of_others()
    {
        await using var scene = await PeerScene.StartAsync(options => options.Receive.HandlerTimeout = TimeSpan.FromMinutes(2));
        using var first = new ManualResetEventSlim();
        using var third = new ManualResetEventSlim();
        scene.Client.On("blocks", message => (message.Text switch { "1" => first, "3" => third, _ => null })?.Wait(Deadline.Patience));
        scene.Client.On("fine", message => _received.Writer.TryWrite(message));
        for (var subscriptions = 0; subscriptions < 2;)
        {
            subscriptions += (await scene.Peer.GrantAsync()).Subscriptions.Count;
        }

        await scene.SendAsync("blocks", "1", 1);
        await scene.SendAsync("blocks", "2", 2);
        await scene.SendAsync("blocks", "3", 3);
        await scene.SendQoS0Async("fine", "all are queued");
        await _received.Reader.ReadAsync().Soon();

        first.Set();

        await scene.AckAsync(1, 2);
        third.Set();
        await scene.AckAsync(3);
    }

    [Fact]
    public async Task A_throwing_handler_that_leaves_its_message_unacknowledged_gets_it_again_after_a_reconnect()
    {
        await using var scene = await PeerScene.StartAsync(options => options.Receive.HandlerRetries = 0);
        scene.Client.On(
            "t",
            message =>
            {
                _received.Writer.TryWrite(message);
                if (!message.Duplicate)
                {
                    throw new InvalidDataException("not yet");
                }
            },
            new SubscribeOptions { OnPoison = (_, _) => MessageOutcome.LeaveUnacknowledged });
        await scene.Peer.GrantAsync();
        await scene.SendAsync("t", "1", 1);
        await _received.Reader.ReadAsync().Soon();
        await scene.ExpectNothingAsync();

        await scene.Peer.CloseAsync();
        await scene.PassAsync(TimeSpan.FromSeconds(1));
        await scene.Peer.AcceptClientAsync(new ConnAckPacket { SessionPresent = true });
        await scene.SendAsync("t", "1", 1, duplicate: true);

        Assert.True((await _received.Reader.ReadAsync().Soon()).Duplicate);
        await scene.AckAsync(1);
    }
}
