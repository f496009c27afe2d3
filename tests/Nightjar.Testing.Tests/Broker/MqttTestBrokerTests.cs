using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Testing.Tests.Broker;

public sealed class MqttTestBrokerTests
{
    [Fact]
    public async Task It_listens_on_a_free_port_of_the_loopback()
    {
        await using var broker = new MqttTestBroker();
        await using var peer = await ConnectTcpAsync(broker.Port);

        await peer.SendAsync(new ConnectPacket { ClientId = "c" });
        await peer.ExpectAsync<ConnAckPacket>();

        Assert.Equal($"mqtt://127.0.0.1:{broker.Port}", broker.Uri);
        Assert.Equal(["c"], broker.ConnectedClients);
        await peer.SendAsync(new DisconnectPacket());
        await peer.ExpectClosedAsync();
    }

    [Fact]
    public async Task It_listens_where_it_is_told()
    {
        await using var first = new MqttTestBroker(new MqttTestBrokerOptions { Address = IPAddress.IPv6Loopback });
        var port = first.Port;
        await first.DisposeAsync();
        await using var second = new MqttTestBroker(new MqttTestBrokerOptions { Address = IPAddress.IPv6Loopback, Port = port });

        Assert.Equal($"mqtt://[::1]:{port}", second.Uri);
        Assert.Throws<SocketException>(() => new MqttTestBroker(new MqttTestBrokerOptions { Address = IPAddress.IPv6Loopback, Port = port }));
    }

    [Fact]
    public async Task Without_listening_there_is_no_port()
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { Listen = false });

        Assert.Throws<InvalidOperationException>(() => broker.Port);
        Assert.Throws<InvalidOperationException>(() => broker.Uri);
    }

    [Fact]
    public async Task With_a_certificate_it_speaks_TLS()
    {
        using var certificate = SelfSigned();
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { ServerCertificate = certificate });
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, broker.Port);
        var tls = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false, (_, presented, _, _) => presented?.GetCertHashString() == certificate.GetCertHashString());
        await tls.AuthenticateAsClientAsync("localhost");
        await using var peer = ScriptedPeer.Over(tls);

        await peer.SendAsync(new ConnectPacket { ClientId = "c" });
        await peer.ExpectAsync<ConnAckPacket>();
        await peer.SendAsync(new DisconnectPacket());
        await peer.ExpectClosedAsync();

        Assert.StartsWith("mqtts://", broker.Uri, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_distrusts_the_certificate_does_no_harm()
    {
        using var certificate = SelfSigned();
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { ServerCertificate = certificate });
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync(IPAddress.Loopback, broker.Port);
            await using var tls = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false, (_, _, _, _) => false);
            await Assert.ThrowsAsync<System.Security.Authentication.AuthenticationException>(() => tls.AuthenticateAsClientAsync("localhost"));
        }

        await using var inMemory = await RawClient.ConnectAsync(broker);
        await inMemory.FenceAsync();
    }

    [Fact]
    public async Task It_publishes_messages_of_its_own()
    {
        await using var broker = InMemory();
        await using var client = await RawClient.ConnectAsync(broker);
        await client.SubscribeAsync("a");

        Assert.Equal(1, await broker.PublishAsync("a", "x", QoS.AtMostOnce));
        Assert.Equal(0, await broker.PublishAsync("b", "y"));
        Assert.Equal("x", (await client.ReceiveAsync()).Text);

        Assert.Equal(["x", "y"], broker.Published.Select(message => message.Text));
        await Assert.ThrowsAsync<ArgumentException>(async () => await broker.PublishAsync("a/#", "x"));
    }

    [Fact]
    public async Task Waiting_for_a_subscription_ends_when_it_is_made()
    {
        await using var broker = InMemory();
        await using var client = await RawClient.ConnectAsync(broker);
        var waiting = broker.WaitForSubscriptionAsync("a/+");
        await client.SubscribeAsync("other");
        Assert.False(waiting.IsCompleted);

        await client.SubscribeAsync("a/+");

        await waiting;
        await broker.WaitForSubscriptionAsync("a/+");
        await broker.WaitForClientsAsync();
    }

    [Fact]
    public async Task Waiting_in_vain_says_what_there_is()
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { Listen = false, Patience = TimeSpan.FromMilliseconds(1) });
        await using var client = await RawClient.ConnectAsync(broker, "me");
        await client.SubscribeAsync("a/b");
        await broker.PublishAsync("t", "x");

        var subscription = await Assert.ThrowsAsync<TimeoutException>(() => broker.WaitForSubscriptionAsync("a"));
        var published = await Assert.ThrowsAsync<TimeoutException>(() => broker.WaitForPublishedAsync(2));
        var clients = await Assert.ThrowsAsync<TimeoutException>(() => broker.WaitForNoClientsAsync());

        Assert.Contains("there are: a/b.", subscription.Message, StringComparison.Ordinal);
        Assert.Contains("1 messages were published; the last: t QoS 1 1 B.", published.Message, StringComparison.Ordinal);
        Assert.Contains("Still connected: me.", clients.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Waiting_for_a_message_finds_earlier_and_later_ones()
    {
        await using var broker = InMemory();
        await broker.PublishAsync("a", "1");

        Assert.Equal("1", (await broker.WaitForPublishedAsync(message => message.Topic == "a")).Text);
        var later = broker.WaitForPublishedAsync(message => message.Text == "3");
        var two = broker.WaitForPublishedAsync(2);
        await broker.PublishAsync("b", "2");
        await broker.PublishAsync("c", "3");

        Assert.Equal("c", (await later).Topic);
        Assert.Equal("2", (await two)[1].Text);
        using var cancel = new CancellationTokenSource();
        var never = broker.WaitForPublishedAsync(_ => false, cancel.Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => never);
    }

    [Fact]
    public async Task Recording_may_be_turned_off()
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { Listen = false, RecordPublished = false });

        await broker.PublishAsync("a", "x");

        Assert.Empty(broker.Published);
    }

    [Fact]
    public async Task It_stops_and_starts_on_the_same_port_with_its_sessions()
    {
        await using var broker = new MqttTestBroker();
        var port = broker.Port;
        await using var first = await ConnectTcpAsync(port);
        await first.SendAsync(new ConnectPacket { ClientId = "c", SessionExpiryInterval = 100 });
        await first.ExpectAsync<ConnAckPacket>();

        await broker.StopAsync();
        await first.ExpectClosedAsync();
        await Assert.ThrowsAsync<SocketException>(() => ConnectTcpAsync(port));
        Assert.Throws<InvalidOperationException>(() => broker.ConnectInMemory());
        broker.Start();
        broker.Start();
        await using var second = await ConnectTcpAsync(port);
        await second.SendAsync(new ConnectPacket { ClientId = "c", SessionExpiryInterval = 100 });

        Assert.True((await second.ExpectAsync<ConnAckPacket>()).SessionPresent);
        Assert.Equal(port, broker.Port);
    }

    [Fact]
    public async Task It_may_forget_everything_when_it_stops()
    {
        await using var broker = InMemory();
        await using var client = await RawClient.ConnectAsync(broker, new ConnectPacket
        {
            ClientId = "c",
            SessionExpiryInterval = 100,
            Will = new WillPacket { Topic = "w" },
        });
        await client.SubscribeAsync("a");
        await broker.PublishAsync("r", "x", retain: true);

        await broker.StopAsync(forget: true);

        Assert.Empty(broker.Sessions);
        Assert.Empty(broker.Subscriptions);
        Assert.Empty(broker.Retained);
        Assert.Single(broker.Published);
        await client.Peer.ExpectClosedAsync();
    }

    [Fact]
    public async Task Disposed_it_takes_no_connections()
    {
        var broker = InMemory();
        await using var client = await RawClient.ConnectAsync(broker);

        await broker.DisposeAsync();
        await broker.DisposeAsync();

        await client.Peer.ExpectClosedAsync();
        Assert.Throws<ObjectDisposedException>(() => broker.ConnectInMemory());
        Assert.Throws<ObjectDisposedException>(broker.Start);
    }

    [Fact]
    public async Task A_client_that_does_not_read_delays_nobody_and_loses_only_QoS_0()
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { Listen = false, MaximumQueuedBytes = 10_000 });
        var slowStream = broker.ConnectInMemory(capacity: 1000);
        await using var slow = ScriptedPeer.Over(slowStream);
        await slow.SendAsync(new ConnectPacket { ClientId = "slow" });
        await slow.ExpectAsync<ConnAckPacket>();
        await slow.SendAsync(new SubscribePacket { PacketId = 1, Subscriptions = [new RequestedSubscription("#", QoS.AtLeastOnce)] });
        await slow.ExpectAsync<SubAckPacket>();
        await using var quick = await RawClient.ConnectAsync(broker, "quick");
        await quick.SubscribeAsync("#");
        var payload = new byte[1000];

        for (var i = 0; i < 50; i++)
        {
            var qos = i % 2 == 0 ? QoS.AtMostOnce : QoS.AtLeastOnce;
            await broker.PublishAsync(new OutgoingMessage($"t/{i}", payload) { QoS = qos });
            Assert.Equal($"t/{i}", (await quick.ReceiveAsync()).Topic);
        }

        Assert.InRange(broker.Dropped, 10, 25);
        var received = new List<string>();
        while (received.Count < 50 - broker.Dropped)
        {
            var message = await slow.ExpectAsync<MqttMessage>();
            received.Add(message.Topic);
        }

        var acknowledged = Enumerable.Range(0, 50).Where(i => i % 2 == 1).Select(i => $"t/{i}").ToArray();
        Assert.Equal(acknowledged, received.Where(topic => acknowledged.Contains(topic)));
    }

    [Fact]
    public async Task Many_clients_at_once_get_every_message_in_order()
    {
        const int Clients = 8;
        const int Messages = 300;
        await using var broker = InMemory();
        var sending = Enumerable.Range(0, Clients).Select(async number =>
        {
            await using var client = await RawClient.ConnectAsync(broker, $"client-{number}");
            await client.SubscribeAsync($"to/{number}", QoS.AtLeastOnce);
            await broker.WaitForSubscriptionAsync($"to/{(number + 1) % Clients}");
            var reading = Task.Run(async () =>
            {
                var texts = new List<string>();
                while (texts.Count < Messages)
                {
                    var packet = await client.Peer.ReceiveAsync();
                    if (packet.Packet is MqttMessage message)
                    {
                        texts.Add(message.Text);
                    }
                }

                return texts;
            });
            for (ushort i = 1; i <= Messages; i++)
            {
                await client.Peer.SendAsync(MqttMessage.Create($"to/{(number + 1) % Clients}", System.Text.Encoding.UTF8.GetBytes($"{i}").AsMemory(), QoS.AtLeastOnce, packetId: i));
            }

            return await reading;
        });

        var expected = Enumerable.Range(1, Messages).Select(i => $"{i}").ToArray();
        foreach (var texts in await Task.WhenAll(sending))
        {
            Assert.Equal(expected, texts);
        }

        Assert.Equal(Clients * Messages, broker.Published.Count);
    }

    private static MqttTestBroker InMemory() => new(new MqttTestBrokerOptions { Listen = false });

    private static async Task<ScriptedPeer> ConnectTcpAsync(int port)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port);
        return ScriptedPeer.Over(new NetworkStream(socket, ownsSocket: true), PacketSender.Server);
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
