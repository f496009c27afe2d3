using System.Threading.Channels;
using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Tests.Subscriptions;

/// <summary>Messages that their handler cannot deal with.</summary>
public sealed class PoisonTests
{
    private readonly Channel<string> _handled = Channel.CreateUnbounded<string>();

    [Fact]
    public async Task A_handler_that_throws_on_the_third_of_ten_gets_the_others()
    {
        await using var scene = await PeerScene.StartAsync(options => options.Receive.HandlerRetries = 0);
        await using var events = new EventReader(scene.Client);
        On(scene, "3");
        await scene.Peer.GrantAsync();

        for (ushort id = 1; id <= 10; id++)
        {
            await scene.SendAsync("t", $"{id}", id);
        }

        await scene.AckAsync(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
        Assert.Equal(["1", "2", "4", "5", "6", "7", "8", "9", "10"], await HandledAsync(9));
        var failed = await events.NextAsync<ClientEvent.HandlerFailed>();
        Assert.Equal(MessageOutcome.Acknowledge, failed.Outcome);
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt5, ReasonCode.PayloadFormatInvalid)]
    [InlineData(MqttVersion.Mqtt311, ReasonCode.Success)]
    public async Task A_poisonous_message_can_be_refused(MqttVersion version, ReasonCode expected)
    {
        await using var scene = await PeerScene.StartAsync(options =>
        {
            options.Version = version;
            options.Receive.HandlerRetries = 0;
            options.Receive.OnPoison = (_, _) => MessageOutcome.Refuse(ReasonCode.PayloadFormatInvalid);
        });
        On(scene, "poison");
        await scene.Peer.GrantAsync();

        await scene.SendAsync("t", "poison", 1);

        Assert.Equal(expected, (await scene.Peer.ExpectAckAsync(PacketType.PubAck, 1)).ReasonCode);
    }

    [Fact]
    public async Task A_subscription_decides_before_its_client_and_may_take_its_time_to_publish_the_message_elsewhere()
    {
        await using var scene = await PeerScene.StartAsync(options =>
        {
            options.Receive.HandlerRetries = 0;
            options.Receive.OnPoison = (_, _) => MessageOutcome.LeaveUnacknowledged;
        });
        On(scene, "poison", new SubscribeOptions
        {
            OnPoison = async (message, error) =>
            {
                await scene.Client.PublishAsync("dead/letters", $"{message.Text}: {error.Message}");
                return MessageOutcome.Acknowledge;
            },
        });
        await scene.Peer.GrantAsync();

        await scene.SendAsync("t", "poison", 1);

        Assert.Equal("poison: indigestible", (await scene.Peer.TakeAsync()).Text);
        await scene.AckAsync(1);
    }

    [Fact]
    public async Task What_was_acknowledged_at_arrival_may_still_be_taken_elsewhere_and_no_more()
    {
        await using var scene = await PeerScene.StartAsync(options => options.Receive.HandlerRetries = 0);
        var decided = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        On(scene, "poison", new SubscribeOptions
        {
            Acknowledge = AcknowledgeMode.AtArrival,
            OnPoison = (message, _) =>
            {
                decided.TrySetResult(message.Text);
                return MessageOutcome.LeaveUnacknowledged;
            },
        });
        await scene.Peer.GrantAsync();

        await scene.SendAsync("t", "poison", 1);

        await scene.AckAsync(1);
        Assert.Equal("poison", await decided.Task.Soon());
        await scene.ExpectNothingAsync();
        Assert.Equal(0, scene.Client.Status.Unacknowledged);
    }

    [Fact]
    public async Task A_decision_that_fails_itself_acknowledges()
    {
        await using var scene = await PeerScene.StartAsync(options => options.Receive.HandlerRetries = 0);
        await using var events = new EventReader(scene.Client);
        On(scene, "poison", new SubscribeOptions { OnPoison = (_, _) => throw new InvalidOperationException("undecided") });
        await scene.Peer.GrantAsync();

        await scene.SendAsync("t", "poison", 1);
        await scene.SendAsync("t", "food", 2);

        await scene.AckAsync(1, 2);
        Assert.Equal("indigestible", (await events.NextAsync<ClientEvent.HandlerFailed>()).Error.Message);
    }

    [Fact]
    public async Task A_handler_that_acknowledged_before_it_threw_is_not_called_again()
    {
        await using var scene = await PeerScene.StartAsync();
        await using var events = new EventReader(scene.Client);
        scene.Client.On("t", message =>
        {
            _handled.Writer.TryWrite(message.Text);
            message.Acknowledge();
            throw new InvalidDataException("after the fact");
        });
        await scene.Peer.GrantAsync();

        await scene.SendAsync("t", "1", 1);
        await scene.AckAsync(1);
        await events.NextAsync<ClientEvent.HandlerFailed>();
        await scene.SendAsync("t", "2", 2);

        await scene.AckAsync(2);
        Assert.Equal(["1", "2"], await HandledAsync(2));
    }

    [Fact]
    public async Task A_poison_and_a_blocked_handler_harm_nobody_for_ten_minutes()
    {
        await using var scene = await PeerScene.StartAsync();
        await using var events = new EventReader(scene.Client);
        using var release = new ManualResetEventSlim();
        var blocked = new TaskCompletionSource();
        scene.Client.On("blocked", _ =>
        {
            blocked.TrySetResult();
            release.Wait();
        });
        scene.Client.On("poison", (MqttMessage _) => throw new InvalidDataException("indigestible"));
        scene.Client.On("healthy/1", message => _handled.Writer.TryWrite(message.Text));
        scene.Client.OnLeased("healthy/2", message => _handled.Writer.TryWrite(message.ToMessage().Text));
        for (var subscriptions = 0; subscriptions < 4;)
        {
            subscriptions += (await scene.Peer.GrantAsync()).Subscriptions.Count;
        }

        ushort id = 0;
        await scene.SendAsync("blocked", "for ever", ++id);
        await blocked.Task.Soon();
        for (var minute = 0; minute < 10; minute++)
        {
            await scene.SendAsync("poison", $"{minute}", ++id);
            await scene.SendAsync("healthy/1", $"one {minute}", ++id);
            await scene.SendAsync("healthy/2", $"two {minute}", ++id);
            Assert.Equal([$"one {minute}", $"two {minute}"], (await HandledAsync(2)).Order(StringComparer.Ordinal));

            // The retries of the poison take less than a second of the minute.
            var failed = events.NextAsync<ClientEvent.HandlerFailed>();
            while (!failed.IsCompleted)
            {
                await Task.WhenAny(failed, scene.Time.WaitForTimerAsync(TimeSpan.FromSeconds(1))).Soon();
                scene.Time.Advance(TimeSpan.FromSeconds(1));
            }

            Assert.Equal("poison", (await failed).Filter);
            scene.Time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(["blocked"], scene.Client.Status.Held.Select(held => held.Filter));
        Assert.Single(events.Seen.OfType<ClientEvent.HandlerStalled>(), stalled => stalled.Message.Filter == "blocked");
        await scene.ExpectNothingAsync();

        release.Set();

        // Everything was handled, in order of arrival the acknowledgements follow the one that held them.
        for (ushort expected = 1; expected <= id; expected++)
        {
            await scene.AckAsync(expected);
        }
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(3, false)]
    [InlineData(1, true)]
    [InlineData(3, true)]
    public async Task Disposing_waits_for_no_handler_that_blocks_its_thread(int concurrency, bool serial)
    {
        await using var scene = await PeerScene.StartAsync(options => options.HandlerContext = serial ? HandlerContext.Serial : HandlerContext.Parallel);
        using var release = new ManualResetEventSlim();
        var blocked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var subscription = scene.Client.On(
            "t",
            _ =>
            {
                blocked.TrySetResult();
                release.Wait();
            },
            new SubscribeOptions { MaxConcurrency = concurrency });
        await scene.Peer.GrantAsync();
        await scene.SendAsync("t", "1", 1);
        await blocked.Task.Soon();

        await scene.Client.PublishAsync("still", "works", QoS.AtMostOnce).Soon();
        Assert.Equal("still", (await scene.Peer.ExpectAsync<MqttMessage>()).Topic);
        var disposing = scene.Client.DisposeAsync();
        await scene.Peer.ExpectAsync<DisconnectPacket>();
        await scene.Peer.CloseAsync();
        await disposing.Soon();

        await subscription.Completion.Soon();
        Assert.Equal(ClientState.Closed, scene.Client.State);
        release.Set();
    }

    private void On(PeerScene scene, string poison, SubscribeOptions? options = null) => scene.Client.On(
        "t",
        message =>
        {
            if (message.Text == poison)
            {
                throw new InvalidDataException("indigestible");
            }

            _handled.Writer.TryWrite(message.Text);
        },
        options);

    private async Task<List<string>> HandledAsync(int count)
    {
        var handled = new List<string>();
        while (handled.Count < count)
        {
            handled.Add(await _handled.Reader.ReadAsync().Soon());
        }

        return handled;
    }
}
