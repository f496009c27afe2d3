using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Connection;

/// <summary>What happens until the first CONNACK.</summary>
public sealed class FirstConnectionTests
{
    private readonly ManualTimeProvider _time = new();
    private int _attempts;

    [Fact]
    public async Task Failing_fast_tries_for_the_connect_timeout_and_names_stage_and_last_error()
    {
        var options = Unreachable();
        options.Reconnect = new ReconnectOptions();
        await using var client = new MqttClient(options);
        await using var events = new EventReader(client);
        var connecting = client.ConnectAsync();
        var rest = TimeSpan.FromSeconds(15);
        while (rest > TimeSpan.Zero)
        {
            var next = (await events.NextAsync<ClientEvent.ConnectFailed>()).NextAttemptIn!.Value + TimeSpan.FromMilliseconds(1);
            Assert.False(connecting.IsCompleted);
            _time.Advance(next < rest ? next : rest + TimeSpan.FromMilliseconds(1));
            rest -= next;
        }

        var error = await Assert.ThrowsAsync<MqttConnectException>(() => connecting.Soon());

        Assert.Equal(ConnectStage.Tcp, error.Stage);
        Assert.StartsWith("Cannot connect to peer: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("the tunnel is closed", error.Message, StringComparison.Ordinal);
        Assert.True(error.IsTransient);
        Assert.True(_attempts > 1, $"{_attempts} attempts");
        Assert.Equal(ClientState.Idle, client.State);
        Assert.IsType<MqttConnectException>(client.Status.LastError);
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_at_all_fails_with_the_stage_that_hung()
    {
        var opening = new TaskCompletionSource();
        await using var client = new MqttClient(Hanging(opening));
        var connecting = client.ConnectAsync();
        await opening.Task.Soon();

        var error = await FailsAsync(connecting);

        Assert.Equal(ConnectStage.Tcp, error.Stage);
        Assert.Contains("15 s", error.Message, StringComparison.Ordinal);
        Assert.Contains("opening the connection", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_connect_fails_at_that_stage()
    {
        await using var peer = InMemory.Peer();
        await using var client = new MqttClient(InMemory.Options(peer, _time));
        var connecting = client.ConnectAsync();
        await peer.ExpectAsync(Protocol.Packets.PacketType.Connect);

        var error = await FailsAsync(connecting);

        Assert.Equal(ConnectStage.Connect, error.Stage);
        Assert.Contains("waiting for CONNACK", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_connect_timeout_is_an_option()
    {
        var options = Hanging(new TaskCompletionSource());
        options.ConnectTimeout = TimeSpan.FromSeconds(2);
        await using var client = new MqttClient(options);
        var connecting = client.ConnectAsync();

        _time.Advance(TimeSpan.FromSeconds(2.1));

        Assert.Contains("within 2 s", (await Assert.ThrowsAsync<MqttConnectException>(() => connecting.Soon())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_single_attempt_is_one()
    {
        var options = Unreachable();
        options.Reconnect.FirstConnect = FirstConnect.SingleAttempt;
        await using var client = new MqttClient(options);

        await Assert.ThrowsAsync<MqttConnectException>(() => client.ConnectAsync().Soon());

        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal(1, _attempts);
    }

    [Fact]
    public async Task Keep_trying_waits_until_the_server_is_there()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(() => ++_attempts < 5 ? throw new IOException("not yet") : broker.ConnectInMemory());
        options.Reconnect.FirstConnect = FirstConnect.KeepTrying;
        await using var client = new MqttClient(options);
        await using var events = new EventReader(client);

        var publish = client.PublishAsync("t", "patient").AsTask();

        var failed = await events.NextAsync<ClientEvent.ConnectFailed>();
        Assert.NotNull(failed.NextAttemptIn);
        Assert.Contains("not yet", failed.Error.Message, StringComparison.Ordinal);
        await publish.Soon();
        Assert.Equal("patient", Assert.Single(broker.Published).Text);
    }

    [Fact]
    public async Task A_failure_that_trying_again_does_not_cure_ends_the_attempts_at_once()
    {
        await using var broker = InMemory.Broker();
        broker.RefuseNext(ReasonCode.BadUserNameOrPassword, "no");
        await using var client = new MqttClient(InMemory.Options(broker, _time));

        var error = await Assert.ThrowsAsync<MqttConnectException>(() => client.ConnectAsync().Soon());

        Assert.Equal((ReasonCode.BadUserNameOrPassword, ConnectStage.Connect, false), (error.ReasonCode, error.Stage, error.IsTransient));
        Assert.Equal("no", error.ReasonString);
        Assert.Contains("No user name was given", error.Message, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.Zero, _time.GetUtcNow().TimeOfDay);
    }

    [Fact]
    public async Task A_refusal_that_passes_is_outlived()
    {
        await using var broker = InMemory.Broker();
        broker.RefuseNext(ReasonCode.ServerBusy);
        broker.RefuseNext(ReasonCode.ServerUnavailable);
        await using var client = new MqttClient(InMemory.Options(broker));
        await using var events = new EventReader(client);

        await client.ConnectAsync().Soon();

        await events.NextAsync<ClientEvent.Connected>();
        Assert.Equal(2, events.Seen.OfType<ClientEvent.ConnectFailed>().Count());
    }

    [Fact]
    public async Task Everything_that_waits_for_the_first_connection_fails_with_it()
    {
        await using var client = new MqttClient(Unreachable());
        var subscription = client.Subscribe("t");
        var granted = subscription.Granted;
        await using var messages = subscription.GetAsyncEnumerator();
        Task[] waits =
        [
            client.ConnectAsync(),
            client.WhenConnectedAsync(),
            client.PublishAsync("t", "1").AsTask(),
            client.PublishAsync("t", "0", QoS.AtMostOnce).AsTask(),
            client.FlushAsync().AsTask(),
            client.UnsubscribeAsync("other"),
            messages.MoveNextAsync().AsTask(),
            granted,
            client.Completion,
        ];

        foreach (var wait in waits)
        {
            await FailsAsync(wait);
        }

        Assert.Equal(0, client.Status.Queued);
    }

    [Fact]
    public async Task After_giving_up_the_next_call_tries_again_and_finds_its_subscriptions()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(() => _attempts++ == 0 ? throw new IOException("not yet") : broker.ConnectInMemory());
        options.Reconnect.FirstConnect = FirstConnect.SingleAttempt;
        await using var client = new MqttClient(options);
        var subscription = client.Subscribe("t");
        await Assert.ThrowsAsync<MqttConnectException>(() => subscription.Granted.Soon());

        await client.PublishAsync("elsewhere", "x").Soon();
        await subscription.Granted.Soon();
        await client.PublishAsync("t", "here").Soon();
        await using var messages = subscription.GetAsyncEnumerator();

        Assert.True(await messages.MoveNextAsync().Soon());
        Assert.Equal("here", messages.Current.Text);
        Assert.False(client.Completion.IsCompleted);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_subscription_tells_of_giving_up_once_also_if_nobody_had_asked_yet(bool askedBefore)
    {
        await using var broker = InMemory.Broker();
        var mayFail = new TaskCompletionSource();
        var options = InMemory.Options(broker);
        options.Servers[0] = MqttServer.FromStream("peer", async _ =>
        {
            if (_attempts++ == 0)
            {
                await mayFail.Task;
                throw new IOException("not yet");
            }

            return broker.ConnectInMemory();
        });
        options.Reconnect.FirstConnect = FirstConnect.SingleAttempt;
        await using var client = new MqttClient(options);
        var subscription = client.Subscribe("t");
        var (granted, results) = askedBefore ? (subscription.Granted, subscription.Results) : (null, null);
        mayFail.SetResult();
        await Assert.ThrowsAsync<MqttConnectException>(() => client.Completion.Soon());

        await Assert.ThrowsAsync<MqttConnectException>(() => (granted ?? subscription.Granted).Soon());
        await Assert.ThrowsAsync<MqttConnectException>(() => (results ?? subscription.Results).Soon());
        granted = subscription.Granted;
        Assert.False(granted.IsCompleted);
        await client.ConnectAsync().Soon();

        Assert.Equal(QoS.AtLeastOnce, await granted.Soon());
    }

    [Fact]
    public async Task Cancelling_connect_ends_the_wait_and_not_the_attempt()
    {
        await using var peer = InMemory.Peer();
        await using var client = new MqttClient(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        using var cancellation = new CancellationTokenSource();
        var connecting = client.ConnectAsync(cancellation.Token);

        await cancellation.CancelAsync();

        Assert.Equal(cancellation.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.Soon())).CancellationToken);
        await peer.AcceptClientAsync();
        await client.WhenConnectedAsync().Soon();
    }

    private MqttClientOptions Unreachable() => InMemory.Options(
        () =>
        {
            _attempts++;
            throw new IOException("the tunnel is closed");
        },
        _time);

    private MqttClientOptions Hanging(TaskCompletionSource opening) => new()
    {
        Servers =
        {
            MqttServer.FromStream("peer", async token =>
            {
                opening.TrySetResult();
                await Task.Delay(Timeout.Infinite, token);
                return Stream.Null;
            }),
        },
        TimeProvider = _time,
    };

    /// <summary>Lets the connect timeout pass, and no more.</summary>
    private async Task<MqttConnectException> FailsAsync(Task task)
    {
        var start = _time.GetTimestamp();
        while (!task.IsCompleted && _time.GetElapsedTime(start) < TimeSpan.FromSeconds(15.1))
        {
            _time.Advance(TimeSpan.FromSeconds(0.1));
        }

        return await Assert.ThrowsAsync<MqttConnectException>(() => task.Soon());
    }
}
