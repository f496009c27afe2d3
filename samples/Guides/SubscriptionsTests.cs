using System.Threading.Channels;
using Nightjar;
using Nightjar.Testing;
using Xunit;

namespace Guides;

/// <summary>docs/subscriptions.md says what is true.</summary>
public sealed class SubscriptionsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_loop_gets_one_message_after_the_other()
    {
        await using var broker = InMemory.Broker();
        var store = new Store();
        Task loop;
        await using (var client = InMemory.ClientOf(broker))
        {
            loop = Subscriptions.LoopAsync(client, store);
            await broker.WaitForSubscriptionAsync("home/+/temperature", Stop);
            await broker.PublishAsync("home/kitchen/temperature", "21");
            await broker.PublishAsync("home/attic/temperature", "17");

            Assert.Equal("home/kitchen/temperature 21", await store.NextAsync(Stop));
            Assert.Equal("home/attic/temperature 17", await store.NextAsync(Stop));
        }

        await loop;
    }

    [Fact]
    public async Task A_stored_message_is_acknowledged_before_its_handler_is_done()
    {
        await using var broker = InMemory.Broker();
        var directory = Directory.CreateTempSubdirectory("nightjar-");
        var store = new Store();
        var acknowledgements = new Acknowledgements();
        var options = InMemory.OptionsFor(broker);
        options.PacketInspector = acknowledgements;
        await using (Subscriptions.StoreFirst(options, Path.Combine(directory.FullName, "session"), store))
        {
            await broker.WaitForSubscriptionAsync("orders/+", Stop);
            await broker.PublishAsync("orders/17", "a chair");

            Assert.Equal("orders/17 a chair", await store.NextAsync(Stop));
            Assert.Equal(ReasonCode.Success, await acknowledgements.NextAsync(Stop));
        }

        directory.Delete(recursive: true);
    }

    [Fact]
    public async Task One_message_can_be_taken_and_acknowledged()
    {
        await using var broker = InMemory.Broker();
        await using var client = InMemory.ClientOf(broker);

        var first = Subscriptions.FirstAsync(client);
        await broker.WaitForSubscriptionAsync("home/door", Stop);
        await broker.PublishAsync("home/door", "open");

        Assert.Equal("open", (await first).Text);
        Assert.DoesNotContain("home/door", broker.Subscriptions);
    }

    [Fact]
    public async Task A_handler_gets_messages_also_after_the_connection_was_lost()
    {
        await using var broker = InMemory.Broker();
        await using var client = InMemory.ClientOf(broker);
        var store = new Store();
        await using var subscription = await Subscriptions.HandleAsync(client, store);

        broker.DropConnections();
        await broker.PublishAsync("home/kitchen/temperature", "21");

        Assert.Equal("home/kitchen/temperature 21", await store.NextAsync(Stop));
    }

    [Fact]
    public async Task A_loop_hears_once_that_the_client_gave_up_and_goes_on_with_the_next_connection()
    {
        await using var broker = InMemory.Broker();
        broker.RefuseNext(ReasonCode.Banned);
        await using var client = InMemory.ClientOf(broker);
        var store = new Store();

        await Assert.ThrowsAsync<MqttConnectException>(() => Subscriptions.LoopAsync(client, store));
        await client.ConnectAsync(Stop);

        await broker.WaitForSubscriptionAsync("home/+/temperature", Stop);
    }

    [Fact]
    public async Task A_subscription_that_is_refused_in_a_new_session_ends()
    {
        var allowed = true;
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { Listen = false, MaySubscribe = (_, _) => Volatile.Read(ref allowed) });
        await using var client = InMemory.ClientOf(broker);
        await using var subscription = await Subscriptions.HandleAsync(client, new Store());

        Volatile.Write(ref allowed, false);
        await broker.StopAsync(forget: true);
        broker.Start();

        await subscription.Completion.WaitAsync(Stop);
        Assert.Equal(ReasonCode.NotAuthorized, Assert.Single(await subscription.Results).ReasonCode);
    }

    [Fact]
    public async Task A_leased_message_can_be_counted()
    {
        await using var broker = InMemory.Broker();
        await using var client = InMemory.ClientOf(broker);
        var counted = Channel.CreateUnbounded<int>();
        await using var subscription = Subscriptions.CountBytes(client, bytes => counted.Writer.TryWrite(bytes));
        await subscription.Granted;

        await broker.PublishAsync("plant/1/2", "four");

        Assert.Equal(4, await counted.Reader.ReadAsync(Stop));
    }

    [Fact]
    public async Task Of_several_filters_each_has_its_answer()
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions
        {
            Listen = false,
            MaySubscribe = (_, filter) => filter != "home/+/humidity",
        });
        await using var client = InMemory.ClientOf(broker);
        var store = new Store();
        List<string> told = [];
        await using var subscription = await Subscriptions.SeveralAsync(client, store, told.Add);

        Assert.Equal(["home/+/temperature: QoS 1", "home/+/humidity: NotAuthorized"], told);
        await broker.PublishAsync("home/kitchen/temperature", "21");
        Assert.Equal("home/kitchen/temperature 21", await store.NextAsync(Stop));
    }

    [Fact]
    public async Task Under_a_scope_one_filter_is_on_the_wire_and_what_nobody_wants_is_told()
    {
        await using var broker = InMemory.Broker();
        await using var client = InMemory.ClientOf(broker);
        var told = Channel.CreateUnbounded<string>();
        await using var stray = Subscriptions.Stray(client, text => told.Writer.TryWrite(text));
        await using var device = Subscriptions.Device(
            client, message => told.Writer.TryWrite($"execute {message.Text}"), message => told.Writer.TryWrite($"configure {message.Text}"));
        await device.Granted;
        Assert.Equal(["device/17/#"], broker.Subscriptions);

        await broker.PublishAsync("device/17/command/reboot", "now");
        Assert.Equal("execute now", await told.Reader.ReadAsync(Stop));
        await broker.PublishAsync("device/17/config", "blue");
        Assert.Equal("configure blue", await told.Reader.ReadAsync(Stop));
        await broker.PublishAsync("device/17/other", "?");
        Assert.Equal("nobody wants device/17/other", await told.Reader.ReadAsync(Stop));
    }

    [Fact]
    public async Task A_batch_is_acknowledged_when_it_is_saved()
    {
        await using var broker = InMemory.Broker();
        await using var client = InMemory.ClientOf(broker);
        var store = new Store();
        Subscriptions.InBatches(client, store);
        await broker.WaitForSubscriptionAsync("orders/+", Stop);

        for (var i = 0; i < 1000; i++)
        {
            // More than Receive Maximum: the last would never come if the first were not acknowledged.
            await broker.PublishAsync($"orders/{i}", "");
        }

        for (var i = 0; i < 1000; i++)
        {
            Assert.Equal($"orders/{i} ", await store.NextAsync(Stop));
        }
    }

    [Fact]
    public async Task What_a_handler_refuses_does_not_come_again()
    {
        await using var broker = InMemory.Broker();
        var seen = new Acknowledgements();
        var options = InMemory.OptionsFor(broker);
        options.PacketInspector = seen;
        await using var client = new MqttClient(options);
        Subscriptions.Refuse(client);
        await broker.WaitForSubscriptionAsync("orders/+", Stop);

        await broker.PublishAsync("orders/1", "");
        await broker.PublishAsync("orders/2", "coffee");

        Assert.Equal(ReasonCode.PayloadFormatInvalid, await seen.NextAsync(Stop));
        Assert.Equal(ReasonCode.Success, await seen.NextAsync(Stop));
    }

    [Fact]
    public async Task A_poisoned_message_is_put_aside_after_its_retries()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.OptionsFor(broker);
        options.Receive.HandlerRetries = 1;
        await using var client = new MqttClient(options);
        var calls = 0;
        await using var subscription = Subscriptions.PutAside(client, _ =>
        {
            calls++;
            throw new FormatException("no order");
        });
        await subscription.Granted;

        await broker.PublishAsync("orders/1", "?");
        var dead = await broker.WaitForPublishedAsync(message => message.Topic == "dead/orders/1", Stop);

        Assert.Equal(2, calls);
        Assert.Equal([new UserProperty("error", "no order")], dead.UserProperties);
    }

    [Fact]
    public async Task A_device_that_stands_still_holds_up_its_own_messages_alone()
    {
        await using var broker = InMemory.Broker();
        await using var client = InMemory.ClientOf(broker);
        var handled = Channel.CreateUnbounded<string>();
        var stuck = new TaskCompletionSource();
        await using var subscription = Subscriptions.BesideEachOther(client, async message =>
        {
            if (message.Text == "stuck")
            {
                await stuck.Task;
            }

            handled.Writer.TryWrite(message.Text);
        });
        await subscription.Granted;

        await broker.PublishAsync("device/1/state", "stuck");
        await broker.PublishAsync("device/1/state", "behind");
        await broker.PublishAsync("device/2/state", "free");

        Assert.Equal("free", await handled.Reader.ReadAsync(Stop));
        stuck.SetResult();
        Assert.Equal("stuck", await handled.Reader.ReadAsync(Stop));
        Assert.Equal("behind", await handled.Reader.ReadAsync(Stop));
    }

    [Fact]
    public async Task Handlers_of_a_serial_client_run_until_it_stops()
    {
        await using var broker = InMemory.Broker();
        using var stopping = new CancellationTokenSource();

        var running = Subscriptions.OneAtATimeAsync(InMemory.OptionsFor(broker), stopping.Token);
        await broker.WaitForSubscriptionAsync("out/+", Stop);
        await broker.PublishAsync("in/1", "");
        await stopping.CancelAsync();

        await running;
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt5)]
    [InlineData(MqttVersion.Mqtt311)]
    public async Task A_request_is_answered(MqttVersion version)
    {
        await using var broker = InMemory.Broker();
        await using var responding = InMemory.ClientOf(broker);
        await using var responder = Subscriptions.Answer(responding);
        await responder.Granted;
        var options = InMemory.OptionsFor(broker);
        options.Version = version;
        await using var client = new MqttClient(options);

        var time = await Subscriptions.AskAsync(client);

        Assert.EndsWith("+00:00", time, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_that_nobody_listens_to_fails_at_once()
    {
        await using var broker = InMemory.Broker();
        await using var client = InMemory.ClientOf(broker);

        Assert.Equal("nobody there", await Subscriptions.AskAsync(client));
    }
}
