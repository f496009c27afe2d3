using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Supervision;

/// <summary>Waiting for the next attempt: who decides how long, and what cuts it short.</summary>
public sealed class ReconnectTests
{
    // Timers count in whole milliseconds, rounded up.
    private static readonly TimeSpan Rounding = TimeSpan.FromMilliseconds(1);

    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task A_policy_of_ones_own_sees_the_failure_and_decides()
    {
        var seen = new List<FailedAttempt>();
        var options = Unreachable();
        options.Reconnect.Policy = ReconnectPolicy.From(attempt =>
        {
            seen.Add(attempt);
            return attempt.Number < 3 ? TimeSpan.FromMinutes(attempt.Number) : null;
        });
        await using var client = new MqttClient(options);
        await using var events = new EventReader(client);
        var connecting = client.ConnectAsync();

        Assert.Equal(TimeSpan.FromMinutes(1), (await events.NextAsync<ClientEvent.ConnectFailed>()).NextAttemptIn);
        Pass(client, TimeSpan.FromMinutes(1));
        Assert.Equal(TimeSpan.FromMinutes(2), (await events.NextAsync<ClientEvent.ConnectFailed>()).NextAttemptIn);
        Pass(client, TimeSpan.FromMinutes(2));
        Assert.Null((await events.NextAsync<ClientEvent.ConnectFailed>()).NextAttemptIn);

        await Assert.ThrowsAsync<MqttConnectException>(() => connecting.Soon());
        Assert.Equal([1, 2, 3], seen.Select(attempt => attempt.Number));
        Assert.Equal([TimeSpan.Zero, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(3)], seen.Select(attempt => TimeSpan.FromSeconds(Math.Floor(attempt.Elapsed.TotalSeconds))));
        Assert.All(seen, attempt => Assert.Equal(("peer", FailureClass.Transient), (attempt.Server, attempt.Class)));
        Assert.All(seen, attempt => Assert.IsType<MqttConnectException>(attempt.Error));
    }

    [Fact]
    public async Task A_policy_that_throws_costs_the_longest_delay()
    {
        var options = Unreachable();
        options.Reconnect.Policy = ReconnectPolicy.From(_ => throw new InvalidOperationException("broken"));
        await using var client = new MqttClient(options);
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        _ = client.ConnectAsync();

        Assert.Equal(TimeSpan.FromMinutes(1), (await events.NextAsync<ClientEvent.ConnectFailed>()).NextAttemptIn);
    }

    [Theory]
    [InlineData(-5_000, 0)]
    [InlineData(500 * 86_400_000L, uint.MaxValue - 1)]
    public async Task A_delay_that_cannot_be_is_replaced_and_told_of_once(long milliseconds, long used)
    {
        using var logs = new LogNotes();
        var options = Unreachable();
        options.LoggerFactory = logs;
        options.Reconnect.Policy = ReconnectPolicy.From(attempt => attempt.Number < 3 ? TimeSpan.FromMilliseconds(milliseconds) : null);
        await using var client = new MqttClient(options);
        await using var events = new EventReader(client);
        var connecting = client.ConnectAsync();

        Assert.Equal(TimeSpan.FromMilliseconds(used), (await events.NextAsync<ClientEvent.ConnectFailed>()).NextAttemptIn);
        Pass(client, TimeSpan.FromMilliseconds(used));
        Assert.Equal(TimeSpan.FromMilliseconds(used), (await events.NextAsync<ClientEvent.ConnectFailed>()).NextAttemptIn);
        Pass(client, TimeSpan.FromMilliseconds(used));

        await Assert.ThrowsAsync<MqttConnectException>(() => connecting.Soon());
        Assert.Contains("negative or above 49 days", Assert.Single(logs.Entries, entry => entry.Id == 137).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Listed_delays_are_waited_for_and_then_it_is_over()
    {
        var options = Unreachable();
        options.Reconnect.Policy = ReconnectPolicy.Delays(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));
        await using var client = new MqttClient(options);
        await using var events = new EventReader(client);
        _ = client.ConnectAsync();

        foreach (var delay in new[] { 1, 5 })
        {
            Assert.Equal(TimeSpan.FromSeconds(delay), (await events.NextAsync<ClientEvent.ConnectFailed>()).NextAttemptIn);
            Pass(client, TimeSpan.FromSeconds(delay));
        }

        Assert.Null((await events.NextAsync<ClientEvent.ConnectFailed>()).NextAttemptIn);
        var one = await Assert.ThrowsAsync<MqttConnectException>(() => client.Completion.Soon());
        var other = await Assert.ThrowsAsync<MqttConnectException>(() => client.Completion.Soon());
        Assert.Same(one, other);
    }

    [Fact]
    public async Task Without_reconnecting_a_lost_connection_opens_nothing_more()
    {
        await using var peer = InMemory.Peer();
        var options = InMemory.Options(peer, _time);
        options.Reconnect.Policy = ReconnectPolicy.None;
        await using var client = await peer.ConnectAsync(options);
        await peer.CloseAsync();

        await Assert.ThrowsAsync<MqttDisconnectedException>(() => client.Completion.Soon());

        Assert.Equal(ClientState.Disconnected, client.State);
        Assert.Null(client.Status.NextAttemptIn);
    }

    [Fact]
    public async Task Reconnecting_now_ends_the_wait_with_one_attempt()
    {
        await using var peer = InMemory.Peer();
        var options = Patient(InMemory.Options(peer, _time));
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        await peer.CloseAsync();
        await events.NextAsync<ClientEvent.Disconnected>();
        Assert.Equal(ClientState.Waiting, client.State);

        var all = Enumerable.Range(0, 10).Select(_ => client.ReconnectNowAsync()).ToArray();
        await peer.AcceptClientAsync();

        Assert.All(await Task.WhenAll(all).Soon(), result => Assert.Same(all[0].Result, result));
        await client.ReconnectNowAsync().Soon();
        await events.NextAsync<ClientEvent.Connected>();
        Assert.Single(events.Seen.OfType<ClientEvent.Connecting>());
    }

    [Fact]
    public async Task A_network_change_ends_the_wait_and_is_listened_for_only_then()
    {
        await using var peer = InMemory.Peer();
        var network = new Network();
        var options = Patient(InMemory.Options(peer, _time));
        options.Reconnect.NetworkChange = network;
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        Assert.Equal(0, network.Listening);
        Pass(client, TimeSpan.FromSeconds(20));
        await peer.CloseAsync();
        await events.NextAsync<ClientEvent.Disconnected>();
        await network.WhenListening.Soon();
        Assert.Equal(TimeSpan.FromSeconds(10), client.Status.NextAttemptIn);

        network.Change();
        await peer.AcceptClientAsync();
        await events.NextAsync<ClientEvent.Connected>();

        await network.WhenAtRest.Soon();
    }

    [Fact]
    public void The_systems_own_network_changes_can_be_listened_to()
    {
        using var watching = NetworkChangeSource.OperatingSystem.Watch(() => { });
    }

    [Fact]
    public async Task Another_client_with_the_same_identifier_is_reported_and_left_alone()
    {
        await using var broker = InMemory.Broker();
        var options = Patient(InMemory.Options(broker, _time));
        options.ClientId = "shared";
        await using var client = new MqttClient(options);
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        await client.ConnectAsync().Soon();
        await using var other = new MqttClient(options);
        using var otherEnd = new AbortAtEnd(other);
        await other.ConnectAsync().Soon();

        var lost = await events.NextAsync<ClientEvent.Disconnected>();
        Assert.Equal((DisconnectCause.Remote, ReasonCode.SessionTakenOver), (lost.Cause, lost.ReasonCode));
        Assert.Equal("shared", (await events.NextAsync<ClientEvent.TakenOver>()).ClientId);

        Assert.True(client.Status.NextAttemptIn >= TimeSpan.FromMinutes(1), $"{client.Status}");
        Assert.Equal(ClientState.Connected, other.State);
    }

    [Fact]
    public async Task At_its_maximum_age_the_connection_is_renewed_without_losing_a_message()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker, _time);
        options.Connection.MaximumAge = TimeSpan.FromMinutes(1);
        options.KeepAlive = TimeSpan.Zero;
        await using var client = new MqttClient(options);
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        await client.ConnectAsync().Soon();
        await client.PublishAsync("t", "before").Soon();

        Pass(client, TimeSpan.FromMinutes(1));
        var publish = client.PublishAsync("t", "meanwhile").AsTask();
        await events.NextAsync<ClientEvent.Disconnected>(ended => ended.Error is null && ended.Reason.Contains("maximum age", StringComparison.Ordinal));
        await events.NextAsync<ClientEvent.Connected>(connected => connected.Result.SessionPresent);
        await publish.Soon();

        Assert.Equal(["before", "meanwhile"], broker.Published.Select(message => message.Text));
    }

    [Fact]
    public async Task A_connection_on_demand_ends_when_it_is_idle_and_comes_back_with_the_next_publish()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker, _time);
        options.Connection.IdleTimeout = TimeSpan.FromMinutes(1);
        options.KeepAlive = TimeSpan.Zero;
        await using var client = new MqttClient(options);
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        Assert.Equal(ClientState.Idle, client.State);
        await client.PublishAsync("t", "one").Soon();

        Pass(client, TimeSpan.FromMinutes(1));
        await events.NextAsync<ClientEvent.Disconnected>(ended => ended.Cause == DisconnectCause.Local);
        await broker.WaitForNoClientsAsync();
        Assert.Equal(ClientState.Idle, client.State);

        await client.PublishAsync("t", "two").Soon();
        Assert.Equal(["one", "two"], broker.Published.Select(message => message.Text));
    }

    /// <summary>Lets time pass, once the client has set its timer: what it reported a moment ago it did under its lock, and looking at its state takes that.</summary>
    private void Pass(MqttClient client, TimeSpan time)
    {
        _ = client.State;
        _time.Advance(time + Rounding);
    }

    private MqttClientOptions Unreachable() => Patient(InMemory.Options(() => throw new IOException("the tunnel is closed"), _time));

    /// <summary>Waits of a minute, exactly.</summary>
    private static MqttClientOptions Patient(MqttClientOptions options)
    {
        options.Reconnect = new ReconnectOptions
        {
            FirstConnect = FirstConnect.KeepTrying,
            MinimumDelay = TimeSpan.FromSeconds(10),
            MaximumDelay = TimeSpan.FromMinutes(1),
            Jitter = 0,
        };
        options.KeepAlive = TimeSpan.Zero;
        return options;
    }

    private sealed class Network : NetworkChangeSource
    {
        private readonly TaskCompletionSource _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _atRest = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private Action? _changed;

        public int Listening => _changed is null ? 0 : 1;

        public Task WhenListening => _listening.Task;

        public Task WhenAtRest => _atRest.Task;

        public void Change() => _changed!();

        public override IDisposable Watch(Action changed)
        {
            _changed = changed;
            _listening.TrySetResult();
            return new End(this);
        }

        private sealed class End(Network network) : IDisposable
        {
            public void Dispose()
            {
                network._changed = null;
                network._atRest.TrySetResult();
            }
        }
    }
}
