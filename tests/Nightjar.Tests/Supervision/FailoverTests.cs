using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Supervision;

/// <summary>Two servers, and other options while the client lives.</summary>
public sealed class FailoverTests
{
    [Fact]
    public async Task The_other_server_takes_over_and_the_first_one_when_that_dies()
    {
        await using var first = InMemory.Broker();
        await using var second = InMemory.Broker();
        await using var client = new MqttClient(Both(first, second));
        await using var events = new EventReader(client);
        var received = new List<string>();
        await using var subscription = client.On("t/#", (message, _) =>
        {
            lock (received)
            {
                received.Add(message.Text);
            }

            return ValueTask.CompletedTask;
        });
        await subscription.Granted.Soon();
        Assert.Equal("first", client.Status.Server);

        await first.StopAsync();
        await second.WaitForSubscriptionAsync("t/#");
        await client.WhenConnectedAsync().Soon();
        Assert.Equal("second", client.Status.Server);
        await client.PublishAsync("t/1", "over there").Soon();

        first.Start();
        await second.StopAsync();
        await first.WaitForSubscriptionAsync("t/#");
        await client.PublishAsync("t/2", "back again").Soon();

        Assert.Equal("over there", Assert.Single(second.Published).Text);
        Assert.Equal("back again", Assert.Single(first.Published).Text);
        Assert.NotNull(client.Status.LastError);
    }

    [Fact]
    public async Task Other_options_end_the_connection_in_order_and_restore_subscriptions_elsewhere()
    {
        await using var first = InMemory.Broker();
        await using var second = InMemory.Broker();
        var options = Named("first", first);
        options.Will = new WillMessage { Topic = "will" };
        await using var client = new MqttClient(options);
        await using var events = new EventReader(client);
        await client.Subscribe("t").Granted.Soon();

        await client.UpdateOptionsAsync(Named("second", second)).Soon();
        await second.WaitForSubscriptionAsync("t");

        var ended = await events.NextAsync<ClientEvent.Disconnected>();
        Assert.Equal((null, DisconnectCause.Local), (ended.Error, ended.Cause));
        await first.WaitForNoClientsAsync();
        Assert.Empty(first.Published);
        await client.PublishAsync("t", "x").Soon();
        Assert.Equal("x", Assert.Single(second.Published).Text);
    }

    [Fact]
    public async Task Options_that_cannot_work_change_nothing()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        var connection = await client.ConnectAsync().Soon();

        await Assert.ThrowsAsync<ArgumentException>(() => client.UpdateOptionsAsync(new MqttClientOptions { KeepAlive = TimeSpan.FromSeconds(-1) }));

        await client.PublishAsync("t", "x").Soon();
        Assert.Same(connection, client.Status.Connection);
    }

    [Fact]
    public async Task Updating_a_closed_client_is_refused_and_one_that_closes_meanwhile_ends_the_wait()
    {
        await using var peer = InMemory.Peer();
        var client = await peer.ConnectAsync(InMemory.Options(peer));
        client.PublishAsync("t", "never answered").AsTask().Unwatched();
        var updating = client.UpdateOptionsAsync(InMemory.Options(peer));

        client.Abort();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => updating.Soon());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.UpdateOptionsAsync(InMemory.Options(peer)));
    }

    [Fact]
    public async Task Credentials_and_identifier_of_a_server_are_its_own()
    {
        await using var first = InMemory.Peer();
        await using var second = InMemory.Peer();
        var options = InMemory.Options(first);
        options.ClientId = "everywhere";
        options.Servers[0].Credentials = new MqttCredentials("alice", "a");
        options.AllowVersionFallback = false;
        options.Servers.Add(MqttServer.FromStream("second", _ => ValueTask.FromResult<Stream>(second.ConnectInMemory())));
        options.Servers[1].ClientId = "here";
        options.Servers[1].Session = new SessionOptions { ExpiryInterval = TimeSpan.FromSeconds(7) };
        await using var client = new MqttClient(options);
        using var end = new AbortAtEnd(client);
        var connecting = client.ConnectAsync();
        await first.AcceptAsync();
        var one = await first.ExpectAsync<ConnectPacket>();
        await first.CloseAsync();

        var other = await second.AcceptClientAsync();

        await connecting.Soon();
        Assert.Equal(("everywhere", "alice", 3600u), (one.ClientId, one.UserName, one.SessionExpiryInterval));
        Assert.Equal(("here", null, 7u), (other.ClientId, other.UserName, other.SessionExpiryInterval));
    }

    [Fact]
    public async Task A_server_reference_is_followed_to_a_configured_server()
    {
        await using var second = new MqttTestBroker(new MqttTestBrokerOptions { Patience = Deadline.Patience });
        await using var first = ScriptedPeer.Listen();
        var options = new MqttClientOptions(first.Uri);
        options.Servers.Add(new MqttServer(second.Uri));
        await using var client = new MqttClient(options);
        await using var events = new EventReader(client);
        var connecting = client.ConnectAsync();
        await first.AcceptAsync();
        await first.ExpectAsync<ConnectPacket>();
        await first.SendAsync(new ConnAckPacket { ReasonCode = ReasonCode.UseAnotherServer, ServerReference = $"127.0.0.1:{second.Port}" });

        await connecting.Soon();

        var redirected = await events.NextAsync<ClientEvent.Redirected>();
        Assert.Equal((first.Uri, second.Uri), (redirected.From, redirected.To));
        Assert.Equal(second.Uri, client.Status.Server);
    }

    [Fact]
    public void What_was_given_for_one_host_does_not_go_to_another()
    {
        var server = new MqttServer("mqtts://alice:secret@host") { Tls = { TargetHost = "host.example", CertificateFile = "c.pem", KeyFile = "k.pem", CaFile = "ca.pem" } };

        var elsewhere = server.At("other", 99, usesTls: true, otherHost: true);
        var sameHost = server.At("host", 99, usesTls: true, otherHost: false);

        Assert.Equal("mqtts://other:99", elsewhere.ToString());
        Assert.Equal((null, null, null, null, "ca.pem"), (elsewhere.Credentials, elsewhere.Tls.TargetHost, elsewhere.Tls.CertificateFile, elsewhere.Tls.KeyFile, elsewhere.Tls.CaFile));
        Assert.Equal(("alice", "host.example", "c.pem"), (sameHost.Credentials!.UserName, sameHost.Tls.TargetHost, sameHost.Tls.CertificateFile));
        Assert.Equal("host.example", server.Tls.TargetHost);
    }

    private static MqttClientOptions Both(MqttTestBroker first, MqttTestBroker second)
    {
        var options = Named("first", first);
        options.Servers.Add(MqttServer.FromStream("second", _ => ValueTask.FromResult(second.ConnectInMemory())));
        return options;
    }

    private static MqttClientOptions Named(string name, MqttTestBroker broker)
    {
        var options = InMemory.Options(broker);
        options.Servers[0] = MqttServer.FromStream(name, _ => ValueTask.FromResult(broker.ConnectInMemory()));
        return options;
    }
}
