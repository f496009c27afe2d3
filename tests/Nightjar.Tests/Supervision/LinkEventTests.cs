using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Supervision;

/// <summary>Which events tell of connections, in which order, and what state the client says it is in.</summary>
public sealed class LinkEventTests
{
    private static readonly Dictionary<ClientState, ClientState[]> Legal = new()
    {
        [ClientState.Idle] = [ClientState.Connecting, ClientState.Closed, ClientState.Disconnected],
        [ClientState.Connecting] = [ClientState.Connected, ClientState.Waiting, ClientState.Disconnected, ClientState.Idle, ClientState.Closed],
        [ClientState.Connected] = [ClientState.Waiting, ClientState.Disconnected, ClientState.Connecting, ClientState.Idle, ClientState.Closed],
        [ClientState.Waiting] = [ClientState.Connecting, ClientState.Disconnected, ClientState.Idle, ClientState.Closed],
        [ClientState.Disconnected] = [ClientState.Connecting, ClientState.Closed],
    };

    public static TheoryData<string, DisconnectCause> Causes => new()
    {
        { "disconnect", DisconnectCause.Local },
        { "abort", DisconnectCause.Local },
        { "other options", DisconnectCause.Local },
        { "server DISCONNECT", DisconnectCause.Remote },
        { "server DISCONNECT and close", DisconnectCause.Remote },
        { "orderly close", DisconnectCause.Remote },
        { "network", DisconnectCause.Network },
        { "silence", DisconnectCause.Network },
        { "violation", DisconnectCause.Protocol },
    };

    [Theory]
    [MemberData(nameof(Causes))]
    public async Task Each_connection_ends_with_exactly_one_event_that_names_the_cause(string how, DisconnectCause cause)
    {
        var time = new ManualTimeProvider();
        await using var peer = InMemory.Peer();
        await using var network = new FaultyNetwork();
        var options = InMemory.Options(() => network.Wrap(peer.ConnectInMemory()), time);
        options.Reconnect.Policy = ReconnectPolicy.None;
        options.KeepAlive = TimeSpan.FromSeconds(10);
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);

        switch (how)
        {
            case "disconnect":
                _ = client.DisconnectAsync();
                await peer.ExpectAsync<DisconnectPacket>();
                await peer.CloseAsync();
                break;
            case "abort":
                client.Abort();
                break;
            case "other options":
                _ = client.UpdateOptionsAsync(options);
                await peer.ExpectAsync<DisconnectPacket>();
                await peer.CloseAsync();
                break;
            case "server DISCONNECT":
                await peer.SendAsync(new DisconnectPacket { ReasonCode = ReasonCode.SessionTakenOver });
                break;
            case "server DISCONNECT and close":
                await peer.SendAsync(new DisconnectPacket { ReasonCode = ReasonCode.ServerShuttingDown });
                await peer.CloseAsync();
                break;
            case "orderly close":
                await peer.CloseAsync();
                break;
            case "network":
                network.Cut();
                break;
            case "silence":
                time.Advance(TimeSpan.FromSeconds(10));
                await peer.ExpectAsync(PacketType.PingReq);
                time.Advance(TimeSpan.FromSeconds(30));
                break;
            case "violation":
                await peer.SendAsync(new ConnAckPacket());
                await peer.ExpectAsync<DisconnectPacket>();
                await peer.CloseAsync();
                break;
        }

        var ended = await events.NextAsync<ClientEvent.Disconnected>();
        client.Abort();
        var all = await events.ToEndAsync();
        Assert.Equal(cause, ended.Cause);
        Assert.Equal(cause == DisconnectCause.Local, ended.Error is null);
        Assert.NotEmpty(ended.Reason);
        Assert.Single(all.OfType<ClientEvent.Disconnected>());
    }

    [Fact]
    public async Task Attempts_that_fail_raise_no_disconnected()
    {
        await using var broker = InMemory.Broker();
        broker.RefuseNext(ReasonCode.ServerBusy);
        broker.RefuseNext(ReasonCode.ServerUnavailable);
        var client = new MqttClient(InMemory.Options(broker));
        await using var events = new EventReader(client);
        await client.ConnectAsync().Soon();
        await client.DisposeAsync().Soon();

        var kinds = (await events.ToEndAsync()).Select(happened => happened.GetType().Name);

        Assert.Equal(["Connecting", "ConnectFailed", "Connecting", "ConnectFailed", "Connecting", "Connected", "Disconnected"], kinds);
    }

    [Fact]
    public async Task Several_readers_hear_of_everything_until_they_stop()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        await using var one = new EventReader(client);
        var other = new EventReader(client);
        await client.ConnectAsync().Soon();
        await one.NextAsync<ClientEvent.Connected>();
        await other.NextAsync<ClientEvent.Connected>();
        await other.DisposeAsync();

        await client.DisconnectAsync().Soon();

        await one.NextAsync<ClientEvent.Disconnected>();
        Assert.Empty(other.Seen.OfType<ClientEvent.Disconnected>());
    }

    [Fact]
    public async Task The_client_is_connected_only_after_CONNACK()
    {
        await using var peer = InMemory.Peer();
        await using var client = new MqttClient(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var connecting = client.ConnectAsync();
        var waiting = client.WhenConnectedAsync();
        await peer.AcceptAsync();
        await peer.ExpectAsync<ConnectPacket>();
        Assert.Equal(ClientState.Connecting, client.State);
        Assert.False(waiting.IsCompleted);

        await peer.SendAsync(new ConnAckPacket());

        await connecting.Soon();
        await waiting.Soon();
        Assert.Equal(ClientState.Connected, client.State);
        Assert.True(client.WhenConnectedAsync().IsCompletedSuccessfully);
    }

    [Fact]
    public async Task States_follow_each_other_as_the_graph_says()
    {
        await using var broker = InMemory.Broker();
        var client = new MqttClient(InMemory.Options(broker));
        var seen = new List<ClientState> { client.State };
        await using var events = new EventReader(client);

        async Task StepAsync(Func<Task> step)
        {
            var watching = new CancellationTokenSource();
            var watcher = Task.Run(() =>
            {
                while (!watching.IsCancellationRequested)
                {
                    Note();
                }
            });
            await step();
            Note();
            await watching.CancelAsync();
            await watcher;
            watching.Dispose();
        }

        void Note()
        {
            lock (seen)
            {
                var state = client.State;
                if (seen[^1] != state)
                {
                    seen.Add(state);
                }
            }
        }

        await StepAsync(async () => await client.ConnectAsync().Soon());
        await StepAsync(async () =>
        {
            broker.DropConnections();
            await events.NextAsync<ClientEvent.Disconnected>();
            await events.NextAsync<ClientEvent.Connected>();
        });
        await StepAsync(async () => await client.DisconnectAsync().Soon());
        await StepAsync(async () => await client.ConnectAsync().Soon());
        await StepAsync(async () => await client.DisposeAsync().Soon());

        Assert.Equal(ClientState.Closed, seen[^1]);

        // A state that lasts less than a look is missed: two steps of the graph are as legal as one.
        Assert.All(seen.Zip(seen.Skip(1)), step => Assert.True(
            Legal[step.First].Contains(step.Second) || Legal[step.First].Any(between => Legal.GetValueOrDefault(between, []).Contains(step.Second)),
            string.Join(" > ", seen)));
    }

    [Fact]
    public async Task Every_call_about_the_connection_is_legal_in_every_state()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.ConnectTimeout = TimeSpan.FromSeconds(60);
        var client = new MqttClient(options);
        var calls = new Func<Task>[]
        {
            () => client.ConnectAsync(),
            () => client.ReconnectNowAsync(),
            () => client.DisconnectAsync(),
            () => client.UpdateOptionsAsync(InMemory.Options(broker)),
            () => client.WhenConnectedAsync(),
            () => client.PublishAsync("t", "x").AsTask(),
        };
        var random = new Random(11);
        var running = new List<Task>();
        for (var i = 0; i < 200; i++)
        {
            running.Add(calls[random.Next(calls.Length)]());
            if (i % 20 == 0)
            {
                broker.DropConnections();
                await client.ConnectAsync().Settled();
            }
        }

        await client.ConnectAsync().Settled();
        await client.DisposeAsync().Soon();

        foreach (var call in running)
        {
            await call.Settled();
        }
    }

    [Theory]
    [InlineData(1, ReasonCode.UnsupportedProtocolVersion)]
    [InlineData(2, ReasonCode.ClientIdentifierNotValid)]
    [InlineData(3, ReasonCode.ServerUnavailable)]
    [InlineData(4, ReasonCode.BadUserNameOrPassword)]
    [InlineData(5, ReasonCode.NotAuthorized)]
    public async Task A_refusal_of_3_1_1_is_an_exception_with_its_reason(byte code, ReasonCode reason)
    {
        await using var peer = InMemory.Peer();
        var options = InMemory.Options(peer);
        options.Version = MqttVersion.Mqtt311;
        var error = await RefusedAsync(peer, options, [0x20, 2, 0, code]);

        Assert.Equal(reason, error.ReasonCode);
    }

    [Theory]
    [InlineData(0x80)]
    [InlineData(0x81)]
    [InlineData(0x82)]
    [InlineData(0x83)]
    [InlineData(0x84)]
    [InlineData(0x85)]
    [InlineData(0x86)]
    [InlineData(0x87)]
    [InlineData(0x88)]
    [InlineData(0x89)]
    [InlineData(0x8A)]
    [InlineData(0x8C)]
    [InlineData(0x90)]
    [InlineData(0x95)]
    [InlineData(0x97)]
    [InlineData(0x99)]
    [InlineData(0x9A)]
    [InlineData(0x9B)]
    [InlineData(0x9C)]
    [InlineData(0x9D)]
    [InlineData(0x9F)]
    public async Task A_refusal_of_5_0_is_an_exception_with_its_reason(byte code)
    {
        await using var peer = InMemory.Peer();
        var options = InMemory.Options(peer);
        options.AllowVersionFallback = false;
        var error = await RefusedAsync(peer, options, [0x20, 3, 0, code, 0]);

        Assert.Equal((ReasonCode)code, error.ReasonCode);
        Assert.Equal(ConnectStage.Connect, error.Stage);
    }

    private static async Task<MqttConnectException> RefusedAsync(ScriptedPeer peer, MqttClientOptions options, byte[] answer)
    {
        options.Reconnect.FirstConnect = FirstConnect.SingleAttempt;
        await using var client = new MqttClient(options);
        var connecting = client.ConnectAsync();
        await peer.AcceptAsync();
        await peer.ExpectAsync(PacketType.Connect);
        await peer.SendBytesAsync(answer);
        var error = await Assert.ThrowsAsync<MqttConnectException>(() => connecting.Soon());
        Assert.NotEqual(ClientState.Connected, client.State);
        return error;
    }
}
