using System.Collections.Concurrent;
using System.Threading.Channels;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Subscriptions;

/// <summary>Handlers that run for several messages at once, and what stays in order.</summary>
public sealed class ConcurrencyTests
{
    private static readonly SubscribeOptions FourAtOnce = new() { MaxConcurrency = 4 };
    private static readonly SubscribeOptions ByDevice = new() { MaxConcurrency = 4, OrderBy = message => message.Level(1) };

    private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = new();
    private readonly Channel<string> _started = Channel.CreateUnbounded<string>();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task As_many_run_at_once_as_are_allowed_and_acknowledgements_leave_in_order(bool leased)
    {
        await using var scene = await PeerScene.StartAsync();
        if (leased)
        {
            scene.Client.OnLeased("#", async (message, _) => await HoldAsync(message.ToMessage().Text), FourAtOnce);
        }
        else
        {
            scene.Client.On("#", async message => await HoldAsync(message.Text), FourAtOnce);
        }

        await scene.Peer.GrantAsync();
        for (ushort id = 1; id <= 6; id++)
        {
            await scene.SendAsync("t", $"{id}", id);
        }

        Assert.Equal(["1", "2", "3", "4"], await StartedAsync(4));
        Assert.Equal(0, _started.Reader.Count);
        Open("4");
        Open("2");
        Assert.Equal(["5", "6"], await StartedAsync(2));
        await scene.ExpectNothingAsync();
        Open("6");
        Open("1");
        await scene.AckAsync(1, 2);
        Open("5");
        Open("3");
        await scene.AckAsync(3, 4, 5, 6);
    }

    [Fact]
    public async Task One_after_the_other_stays_the_default()
    {
        await using var scene = await PeerScene.StartAsync();
        scene.Client.On("#", async message => await HoldAsync(message.Text));
        await scene.Peer.GrantAsync();
        await scene.SendAsync("t", "1", 1);
        await scene.SendAsync("t", "2", 2);
        Assert.Equal(["1"], await StartedAsync(1));
        await scene.ExpectNothingAsync();
        Assert.Equal(0, _started.Reader.Count);

        Open("1");
        Open("2");

        await scene.AckAsync(1, 2);
    }

    [Fact]
    public async Task A_key_that_stands_still_holds_its_own_messages_alone()
    {
        await using var scene = await PeerScene.StartAsync();
        scene.Client.On(
            "#",
            async message =>
            {
                await HoldAsync(message.Text);
                if (message.Text.StartsWith("stuck", StringComparison.Ordinal))
                {
                    _started.Writer.TryWrite($"end of {message.Text}");
                }
            },
            ByDevice);
        await scene.Peer.GrantAsync();
        for (ushort id = 1; id <= 5; id++)
        {
            await scene.SendAsync("devices/stuck", $"stuck {id}", id);
        }

        for (ushort id = 6; id <= 40; id++)
        {
            Open($"fine {id}");
            await scene.SendAsync($"devices/{id % 3}", $"fine {id}", id);
        }

        var started = await StartedAsync(36);
        Assert.Equal("stuck 1", Assert.Single(started, text => text.StartsWith("stuck", StringComparison.Ordinal)));
        for (var device = 0; device < 3; device++)
        {
            var ofDevice = started.Where(text => text[0] == 'f').Select(text => int.Parse(text[5..], System.Globalization.CultureInfo.InvariantCulture)).Where(id => id % 3 == device).ToList();
            Assert.Equal(ofDevice.Order(), ofDevice);
        }

        await scene.ExpectNothingAsync();
        for (var id = 1; id <= 5; id++)
        {
            Open($"stuck {id}");
        }

        Assert.Equal(
            ["end of stuck 1", "stuck 2", "end of stuck 2", "stuck 3", "end of stuck 3", "stuck 4", "end of stuck 4", "stuck 5", "end of stuck 5"],
            await StartedAsync(9));
        await scene.AckAsync([.. Enumerable.Range(1, 40).Select(id => (ushort)id)]);
    }

    [Fact]
    public async Task A_key_that_throws_and_a_handler_that_throws_lose_nothing()
    {
        await using var scene = await PeerScene.StartAsync(options => options.Receive.HandlerRetries = 0);
        scene.Client.On(
            "#",
            async message => await (message.Text == "3" ? throw new InvalidDataException("indigestible") : _started.Writer.WriteAsync(message.Text)),
            ByDevice with { OrderBy = message => message.PacketId == 2 ? throw new InvalidOperationException("no key") : message.Payload.Span });
        await scene.Peer.GrantAsync();
        for (ushort id = 1; id <= 4; id++)
        {
            await scene.SendAsync("t", $"{id}", id);
        }

        await scene.AckAsync(1, 2, 3, 4);
        Assert.Equal(["1", "2", "4"], (await StartedAsync(3)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Thousands_of_messages_on_many_keys_are_handled_once_each_and_in_order_per_key(bool serial)
    {
        const int Messages = 20_000;
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.HandlerContext = serial ? HandlerContext.Serial : HandlerContext.Parallel;
        await using var client = new MqttClient(options);
        var last = new int[50];
        var count = 0;
        var done = new TaskCompletionSource();
        await client.OnLeased(
            "k/+",
            async (message, _) =>
            {
                var key = int.Parse(message.Level(1), System.Globalization.CultureInfo.InvariantCulture);
                var number = BitConverter.ToInt32(message.Payload.Span);
                if (number % 7 == 0)
                {
                    await Task.Yield();
                }

                if (last[key] >= number)
                {
                    done.TrySetException(new InvalidDataException($"{number} came after {last[key]}"));
                }

                last[key] = number;
                if (Interlocked.Increment(ref count) == Messages)
                {
                    done.TrySetResult();
                }
            },
            ByDevice).Granted.Soon();

        for (var i = 1; i <= Messages; i++)
        {
            await broker.PublishAsync(new OutgoingMessage($"k/{i * 7919 % 50}", BitConverter.GetBytes(i)));
        }

        await done.Task.Soon();
        Assert.Equal(Messages, count);
    }

    [Fact]
    public async Task Disposing_a_subscription_lets_go_of_what_waits_behind_its_handlers()
    {
        await using var scene = await PeerScene.StartAsync();
        var subscription = scene.Client.On("a/#", async message => await HoldAsync(message.Text), ByDevice with { MaxConcurrency = 2 });
        scene.Client.On("b", _ => { });
        for (var subscriptions = 0; subscriptions < 2;)
        {
            subscriptions += (await scene.Peer.GrantAsync()).Subscriptions.Count;
        }

        for (ushort id = 1; id <= 5; id++)
        {
            await scene.SendAsync(id < 4 ? "a/x" : "a/y", $"{id}", id);
        }

        await scene.SendAsync("b", "6", 6);
        Assert.Equal(["1", "4"], await StartedAsync(2));
        var disposing = subscription.DisposeAsync();
        var unsubscribe = await scene.Peer.ExpectAsync<Protocol.Packets.UnsubscribePacket>();
        await scene.Peer.SendAsync(new Protocol.Packets.UnsubAckPacket { PacketId = unsubscribe.PacketId, ReasonCodes = [ReasonCode.Success] });
        await disposing.Soon();

        Open("1");
        Open("4");

        await scene.AckAsync(1, 2, 3, 4, 5, 6);
        Assert.Equal(0, _started.Reader.Count);
    }

    [Fact]
    public void An_order_without_concurrency_is_a_mistake()
    {
        var client = new MqttClient("mqtt://localhost");

        var error = Assert.Throws<ArgumentException>(() => client.Subscribe(
            "t",
            new SubscribeOptions
            {
                OrderBy = message => message.Level(1),
                AcknowledgeForgotten = true,
                QueueLimit = 0,
                Acknowledge = (AcknowledgeMode)9,
            }));

        Assert.Contains("OrderBy is set and MaxConcurrency is 1", error.Message, StringComparison.Ordinal);
        Assert.Contains("AcknowledgeForgotten is set", error.Message, StringComparison.Ordinal);
        Assert.Contains("QueueLimit is 0", error.Message, StringComparison.Ordinal);
        Assert.Contains("Acknowledge is 9", error.Message, StringComparison.Ordinal);
        Assert.Contains(
            "Overflow is Wait and QueueLimit is null",
            Assert.Throws<ArgumentException>(() => client.Subscribe("t", new SubscribeOptions { Overflow = Overflow.Wait, MaxConcurrency = 70_000 })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Levels_of_a_topic_count_from_zero()
    {
        var message = MqttMessage.Create("home//kitchen");

        Assert.Equal("home", message.Level(0));
        Assert.Equal("", message.Level(1));
        Assert.Equal("kitchen", message.Level(2));
        Assert.Equal("", message.Level(3));
        Assert.Throws<ArgumentOutOfRangeException>(() => message.Level(-1).Length);
    }

    private async Task HoldAsync(string text)
    {
        _started.Writer.TryWrite(text);
        await Gate(text).Task;
    }

    private void Open(string text) => Gate(text).TrySetResult();

    private TaskCompletionSource Gate(string text) => _gates.GetOrAdd(text, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    private async Task<List<string>> StartedAsync(int count)
    {
        var started = new List<string>();
        while (started.Count < count)
        {
            started.Add(await _started.Reader.ReadAsync().Soon());
        }

        return count > 4 || started.Any(text => text.Length > 3) ? started : [.. started.Order(StringComparer.Ordinal)];
    }
}
