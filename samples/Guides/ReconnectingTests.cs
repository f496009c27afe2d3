using System.Text;
using System.Threading.Channels;
using Nightjar;
using Nightjar.Testing;
using Xunit;

namespace Guides;

/// <summary>docs/reconnecting.md says what is true.</summary>
public sealed class ReconnectingTests
{
    [Fact]
    public async Task A_service_runs_until_its_token_is_cancelled()
    {
        await using var broker = InMemory.Broker();
        using var stopping = new CancellationTokenSource();

        var running = Reconnecting.RunAsServiceAsync(InMemory.OptionsFor(broker), stopping.Token);
        await broker.WaitForSubscriptionAsync("home/+/temperature");
        await stopping.CancelAsync();

        await running;
        await broker.WaitForNoClientsAsync();
    }

    [Fact]
    public async Task A_service_outlives_a_busy_server_and_gives_up_when_it_is_banned()
    {
        await using var broker = InMemory.Broker();
        broker.RefuseNext(ReasonCode.ServerBusy);
        broker.RefuseNext(ReasonCode.Banned);

        var error = await Assert.ThrowsAsync<MqttConnectException>(
            () => Reconnecting.RunAsServiceAsync(InMemory.OptionsFor(broker), TestContext.Current.CancellationToken));

        Assert.Equal(ReasonCode.Banned, error.ReasonCode);
        Assert.False(error.IsTransient);
    }

    [Fact]
    public async Task Credentials_that_are_refused_are_renewed()
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions
        {
            Listen = false,
            Authenticate = login => Encoding.UTF8.GetString(login.Password!.Value.Span) == "token 2" ? ReasonCode.Success : ReasonCode.NotAuthorized,
        });
        var options = InMemory.OptionsFor(broker);
        Reconnecting.BringFreshToken(options, new Tokens());
        await using var client = new MqttClient(options);

        await client.ConnectAsync(TestContext.Current.CancellationToken);

        Assert.Equal(ClientState.Connected, client.State);
    }

    [Fact]
    public async Task Nothing_is_opened_before_the_gate_opens()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.OptionsFor(broker);
        var clock = new Clock();
        Reconnecting.WaitUntilReady(options, clock);
        await using var client = new MqttClient(options);

        var connecting = client.ConnectAsync(TestContext.Current.CancellationToken);
        Assert.Equal(ClientState.Connecting, client.State);
        Assert.Empty(broker.ConnectedClients);
        clock.Set();

        await connecting;
    }

    [Fact]
    public async Task Other_credentials_are_used_from_the_next_connection_on()
    {
        var passwords = Channel.CreateUnbounded<string>();
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions
        {
            Listen = false,
            Authenticate = login =>
            {
                passwords.Writer.TryWrite(Encoding.UTF8.GetString(login.Password!.Value.Span));
                return ReasonCode.Success;
            },
        });
        var options = InMemory.OptionsFor(broker);
        options.Servers[0].Credentials = new MqttCredentials("device-17", "old");
        await using var client = new MqttClient(options);
        await client.ConnectAsync(TestContext.Current.CancellationToken);

        await Reconnecting.ChangePasswordAsync(client, options, "new");

        Assert.Equal("old", await passwords.Reader.ReadAsync(TestContext.Current.CancellationToken));
        Assert.Equal("new", await passwords.Reader.ReadAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Events_tell_what_happens_to_the_connection()
    {
        await using var broker = InMemory.Broker();
        await using var client = InMemory.ClientOf(broker);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var told = Channel.CreateUnbounded<string>();
        var telling = Reconnecting.TellAsync(client, text => told.Writer.TryWrite(text), stopping.Token);

        await client.ConnectAsync(stopping.Token);
        Assert.Equal("connected; the session is new", await told.Reader.ReadAsync(stopping.Token));

        broker.RefuseNext(ReasonCode.ServerBusy);
        broker.DropConnections();
        Assert.StartsWith("lost (", await told.Reader.ReadAsync(stopping.Token), StringComparison.Ordinal);
        Assert.StartsWith("failed (Transient), next attempt in ", await told.Reader.ReadAsync(stopping.Token), StringComparison.Ordinal);
        Assert.Equal("connected; the session is the one of before", await told.Reader.ReadAsync(stopping.Token));

        await stopping.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => telling);
    }

    [Fact]
    public async Task A_publish_waits_for_a_client_that_was_disconnected_and_may_be_taken_back()
    {
        await using var broker = InMemory.Broker();
        await using var client = InMemory.ClientOf(broker);
        await client.ConnectAsync(TestContext.Current.CancellationToken);
        await client.DisconnectAsync(cancellationToken: TestContext.Current.CancellationToken);
        List<string> told = [];

        await Reconnecting.PublishWithinAsync(client, TimeSpan.Zero, told.Add);
        await client.ConnectAsync(TestContext.Current.CancellationToken);
        await Reconnecting.PublishWithinAsync(client, TimeSpan.FromMinutes(1), told.Add);

        Assert.Single(told);
        Assert.Single(broker.Published);
    }

    [Fact]
    public async Task The_client_goes_on_to_the_second_server_when_the_first_does_not_answer()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.OptionsFor(broker);
        options.Servers.Insert(0, MqttServer.FromStream("dead", _ => throw new IOException("nobody there")));
        await using var client = new MqttClient(options);

        await client.ConnectAsync(TestContext.Current.CancellationToken);

        Assert.Equal("test", client.Status.Server);
    }

    [Fact]
    public async Task All_options_of_the_page_are_valid()
    {
        var options = Reconnecting.SeveralServers("one", "two");
        Reconnecting.ChoosePolicy(options);
        Reconnecting.ConnectAtNight(options);
        Reconnecting.ConnectOnDemand(options);
        Reconnecting.FindDeadLinksSoon(options);

        await using var client = new MqttClient(options);

        Assert.Equal(ClientState.Idle, client.State);
    }
}
