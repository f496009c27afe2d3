using System.Threading.Channels;
using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Sessions;

/// <summary>One session over many connections, in every version.</summary>
public sealed class SessionTests
{
    public static TheoryData<MqttVersion> Versions => [MqttVersion.Mqtt31, MqttVersion.Mqtt311, MqttVersion.Mqtt5];

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Every_version_publishes_and_receives(MqttVersion version)
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(Options(broker, version));
        var received = Channel.CreateUnbounded<MqttMessage>();
        var subscription = client.On("t/#", received.Writer.WriteAsync, new SubscribeOptions { QoS = QoS.ExactlyOnce });

        Assert.Equal(QoS.ExactlyOnce, await subscription.Granted.Soon());
        for (var qos = QoS.AtMostOnce; qos <= QoS.ExactlyOnce; qos++)
        {
            // What only 5.0 can say is left out by the others.
            await client.PublishAsync(new OutgoingMessage("t/x", $"{(int)qos}") { QoS = qos, ContentType = "text/plain" }).Soon();
            var message = await received.Reader.ReadAsync().Soon();
            Assert.Equal(($"{(int)qos}", qos), (message.Text, message.QoS));
            Assert.Equal(version == MqttVersion.Mqtt5 ? "text/plain" : null, message.ContentType);
        }

        Assert.Equal(version, client.Status.Connection!.Version);
        await client.UnsubscribeAsync("t/#").Soon();
        await subscription.Completion.Soon();
        await client.DisconnectAsync(new DisconnectOptions { ReasonString = "bye" }).Soon();
    }

    [Theory]
    [MemberData(nameof(Versions))]
    public async Task Nothing_is_lost_when_the_connections_are_cut_again_and_again(MqttVersion version)
    {
        const int Messages = 300;
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(Options(broker, version));
        await using var events = new EventReader(client);
        var received = Channel.CreateUnbounded<MqttMessage>();
        await client.On("in", received.Writer.WriteAsync, new SubscribeOptions { QoS = QoS.ExactlyOnce }).Granted.Soon();

        var publishes = new List<Task<PublishResult>>();
        for (var i = 0; i < Messages; i++)
        {
            publishes.Add(client.PublishAsync("in", $"{i}", (QoS)(1 + (i % 2))).AsTask());
            if (i % 60 == 59)
            {
                broker.DropConnections();
                await events.NextAsync<ClientEvent.Disconnected>();
                await events.NextAsync<ClientEvent.Connected>();
            }
        }

        await Task.WhenAll(publishes).Soon();
        var counts = new int[Messages];
        while (counts.Contains(0))
        {
            counts[int.Parse((await received.Reader.ReadAsync().Soon()).Text, System.Globalization.CultureInfo.InvariantCulture)]++;
        }

        Assert.All(Enumerable.Range(0, Messages).Where(i => i % 2 == 1), i => Assert.Equal(1, counts[i]));
    }

    [Fact]
    public async Task A_server_that_speaks_only_3_1_1_is_spoken_to_in_3_1_1()
    {
        await using var broker = InMemory.Broker(options =>
        {
            options.Versions.Clear();
            options.Versions.Add(MqttVersion.Mqtt311);
        });
        await using var client = new MqttClient(InMemory.Options(broker));

        Assert.Equal(MqttVersion.Mqtt311, (await client.ConnectAsync().Soon()).Version);
    }

    [Fact]
    public async Task A_server_that_hangs_up_on_5_0_without_a_byte_is_spoken_to_in_3_1_1()
    {
        await using var peer = InMemory.Peer();
        await using var client = new MqttClient(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var connecting = client.ConnectAsync();
        Assert.Equal(MqttVersion.Mqtt5, (await peer.ExpectAsync<ConnectPacket>()).Version);
        await peer.CloseAsync();

        Assert.Equal(MqttVersion.Mqtt311, (await peer.AcceptClientAsync()).Version);
        Assert.Equal(MqttVersion.Mqtt311, (await connecting.Soon()).Version);
    }

    [Fact]
    public async Task Without_fallback_the_refusal_stands()
    {
        await using var broker = InMemory.Broker(options => options.Versions.Remove(MqttVersion.Mqtt5));
        var options = InMemory.Options(broker);
        options.AllowVersionFallback = false;
        await using var client = new MqttClient(options);

        Assert.Equal(ReasonCode.UnsupportedProtocolVersion, (await Assert.ThrowsAsync<MqttConnectException>(() => client.ConnectAsync().Soon())).ReasonCode);
    }

    [Fact]
    public async Task What_came_while_a_client_was_away_waits_for_the_next_with_its_id()
    {
        await using var broker = InMemory.Broker();
        await using (var before = new MqttClient(Named()))
        {
            await before.Subscribe("mail").Granted.Soon();
        }

        await broker.WaitForNoClientsAsync();
        await broker.PublishAsync("mail", "a letter");
        await using var after = new MqttClient(Named());
        await using var messages = after.Subscribe("mail").GetAsyncEnumerator();

        Assert.True(await messages.MoveNextAsync().Soon());
        Assert.Equal("a letter", messages.Current.Text);
        Assert.True(after.Status.Connection!.SessionPresent);

        MqttClientOptions Named()
        {
            var options = InMemory.Options(broker);
            options.ClientId = "sleeper";
            options.Session.CleanStart = false;
            return options;
        }
    }

    [Fact]
    public async Task A_message_that_was_left_unacknowledged_comes_again_on_the_next_connection()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        await using var events = new EventReader(client);
        var subscription = client.Subscribe("t");
        await subscription.Granted.Soon();
        await broker.PublishAsync("t", "important");
        await foreach (var message in subscription)
        {
            Assert.False(message.Duplicate);
            break;
        }

        broker.DropConnections();
        await using var messages = subscription.GetAsyncEnumerator();

        Assert.True(await messages.MoveNextAsync().Soon());
        Assert.Equal(("important", true), (messages.Current.Text, messages.Current.Duplicate));
    }

    [Fact]
    public async Task The_options_of_a_subscription_reach_the_server()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);

        client.Subscribe("t", new SubscribeOptions
        {
            QoS = QoS.ExactlyOnce,
            NoLocal = true,
            RetainAsPublished = true,
            RetainHandling = RetainHandling.DoNotSend,
            SubscriptionIdentifier = 99,
            UserProperties = [new("a", "b")],
        });

        var subscribe = await peer.GrantAsync();
        Assert.Equal(
            new RequestedSubscription("t", QoS.ExactlyOnce) { NoLocal = true, RetainAsPublished = true, RetainHandling = RetainHandling.DoNotSend },
            Assert.Single(subscribe.Subscriptions));
        Assert.Equal(99u, subscribe.SubscriptionIdentifier);
        Assert.Equal([new("a", "b")], subscribe.UserProperties);
    }

    [Fact]
    public async Task Subscription_options_do_what_they_say()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        var received = Channel.CreateUnbounded<string>();
        await broker.PublishAsync("kept", "old", retain: true);
        await Listen("own", "kept", new SubscribeOptions { RetainHandling = RetainHandling.DoNotSend, RetainAsPublished = true, NoLocal = true, SubscriptionIdentifier = 5 });
        await client.PublishAsync("kept", "from myself").Soon();
        await broker.PublishAsync("kept", "new", retain: true);
        Assert.Equal("own: new retained 5", await received.Reader.ReadAsync().Soon());

        // 'kept/#' matches 'kept' itself. What comes for one filter goes to every handler whose filter matches, so the other may be called too.
        await Listen("all", "kept/#", new SubscribeOptions());
        while (!(await received.Reader.ReadAsync().Soon()).StartsWith("all: new retained", StringComparison.Ordinal))
        {
        }

        Task Listen(string name, string filter, SubscribeOptions options) => client.On(
            filter,
            message => received.Writer.TryWrite($"{name}: {message.Text}{(message.Retain ? " retained" : "")} {string.Join(',', message.SubscriptionIdentifiers)}"),
            options).Granted.Soon();
    }

    [Fact]
    public async Task Unsubscribing_a_filter_nobody_knows_returns_the_servers_code()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));

        Assert.Equal(ReasonCode.NoSubscriptionExisted, await client.UnsubscribeAsync("never").Soon());
    }

    [Fact]
    public async Task A_broker_that_restarts_without_memory_gets_subscriptions_again()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(() => broker.ConnectedClients.Count >= 0 ? Connect() : null!));
        var received = Channel.CreateUnbounded<string>();
        await client.On("t", message => received.Writer.TryWrite(message.Text)).Granted.Soon();

        await broker.StopAsync(forget: true);
        var publish = client.PublishAsync("t", "after the restart").AsTask();
        broker.Start();

        await publish.Soon();
        Assert.Equal("after the restart", await received.Reader.ReadAsync().Soon());

        Stream Connect()
        {
            try
            {
                return broker.ConnectInMemory();
            }
            catch (InvalidOperationException error)
            {
                throw new IOException("stopped", error);
            }
        }
    }

    private static MqttClientOptions Options(MqttTestBroker broker, MqttVersion version)
    {
        var options = InMemory.Options(broker);
        options.Version = version;
        options.ClientId = "versioned";
        return options;
    }
}
