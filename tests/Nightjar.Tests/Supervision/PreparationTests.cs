using System.Text;
using Microsoft.Extensions.Logging;
using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Supervision;

/// <summary>What the application does before each attempt.</summary>
public sealed class PreparationTests
{
    [Fact]
    public async Task No_connection_is_opened_while_the_gate_is_closed()
    {
        await using var broker = InMemory.Broker();
        var opened = 0;
        var gate = new TaskCompletionSource();
        var asked = new TaskCompletionSource();
        var options = InMemory.Options(() =>
        {
            opened++;
            return broker.ConnectInMemory();
        });
        options.Connection.ReadinessGate = async cancellation =>
        {
            asked.TrySetResult();
            await gate.Task.WaitAsync(cancellation);
        };
        await using var client = new MqttClient(options);
        var connecting = client.ConnectAsync();
        await asked.Task.Soon();
        Assert.Equal((0, ClientState.Connecting), (opened, client.State));

        gate.SetResult();

        await connecting.Soon();
        Assert.Equal(1, opened);
    }

    [Fact]
    public async Task A_gate_that_does_not_open_in_time_is_named_by_the_failure()
    {
        var time = new ManualTimeProvider();
        var asked = new TaskCompletionSource();
        var options = InMemory.Options(() => throw new InvalidOperationException("nothing may be opened"), time);
        options.Connection.ReadinessGate = _ =>
        {
            asked.TrySetResult();
            return new ValueTask(new TaskCompletionSource().Task);
        };
        await using var client = new MqttClient(options);
        var connecting = client.ConnectAsync();
        await asked.Task.Soon();

        time.Advance(TimeSpan.FromSeconds(16));

        var error = await Assert.ThrowsAsync<MqttConnectException>(() => connecting.Soon());
        Assert.Equal(ConnectStage.Preparation, error.Stage);
        Assert.Contains("ReadinessGate", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_attempt_may_say_something_else()
    {
        await using var peer = InMemory.Peer();
        var options = InMemory.Options(peer);
        options.ClientId = "before";
        options.Requests.UseResponseInformation = false;
        var seen = new List<(int Number, FailureClass? Last)>();
        options.Connection.BeforeConnect = (attempt, _) =>
        {
            seen.Add((attempt.Number, attempt.LastFailure));
            Assert.Equal("before", attempt.ClientId);
            attempt.Credentials = new MqttCredentials("alice", $"token {seen.Count}");
            attempt.Will = new WillMessage { Topic = $"will/{seen.Count}" };
            attempt.KeepAlive = TimeSpan.FromSeconds(seen.Count);
            attempt.UserProperties.Add(new UserProperty("attempt", $"{seen.Count}"));
            if (seen.Count == 3)
            {
                attempt.ClientId = "after";
            }

            return ValueTask.CompletedTask;
        };
        await using var client = new MqttClient(options);
        using var end = new AbortAtEnd(client);
        _ = client.ConnectAsync();

        var connects = new List<ConnectPacket>();
        for (var i = 0; i < 3; i++)
        {
            connects.Add(await peer.AcceptClientAsync(new ConnAckPacket { SessionPresent = i == 1 }));
            await client.WhenConnectedAsync().Soon();
            await peer.CloseAsync();
        }

        Assert.Equal(["token 1", "token 2", "token 3"], connects.Select(connect => Encoding.UTF8.GetString(connect.Password!.Value.Span)));
        Assert.Equal(["will/1", "will/2", "will/3"], connects.Select(connect => connect.Will!.Topic));
        Assert.Equal([1, 2, 3], connects.Select(connect => (int)connect.KeepAlive));
        Assert.All(connects, connect => Assert.False(connect.RequestResponseInformation));
        Assert.Equal(["1", "2", "3"], connects.Select(connect => connect.UserProperties.Single().Value));
        Assert.Equal([("before", true), ("before", false), ("after", true)], connects.Select(connect => (connect.ClientId, connect.CleanStart)));
        Assert.Equal((1, null), seen[0]);
        Assert.Equal((2, FailureClass.Transient), seen[1]);
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt5)]
    [InlineData(MqttVersion.Mqtt311)]
    public async Task Refused_credentials_are_renewed_once(MqttVersion version)
    {
        var renewed = 0;
        await using var broker = InMemory.Broker(options => options.Authenticate = login => login.UserName == "fresh" ? ReasonCode.Success : ReasonCode.NotAuthorized);
        var options = InMemory.Options(broker);
        options.Version = version;
        options.Servers[0].Credentials = new MqttCredentials("stale", "x");
        options.Connection.BeforeConnect = (attempt, _) =>
        {
            if (attempt.MustRenewCredentials)
            {
                renewed++;
                Assert.Equal(FailureClass.CredentialsRejected, attempt.LastFailure);
                Assert.IsType<MqttConnectException>(attempt.LastError);
                attempt.Credentials = new MqttCredentials("fresh", "x");
            }

            return ValueTask.CompletedTask;
        };
        await using var client = new MqttClient(options);

        await client.ConnectAsync().Soon();

        Assert.Equal(1, renewed);
    }

    [Fact]
    public async Task Credentials_that_are_refused_again_fail_for_good()
    {
        var attempts = 0;
        await using var broker = InMemory.Broker(options => options.Authenticate = _ => ReasonCode.BadUserNameOrPassword);
        var options = InMemory.Options(broker);
        options.Connection.BeforeConnect = (_, _) =>
        {
            attempts++;
            return ValueTask.CompletedTask;
        };
        await using var client = new MqttClient(options);

        var error = await Assert.ThrowsAsync<MqttConnectException>(() => client.ConnectAsync().Soon());

        Assert.Equal((ReasonCode.BadUserNameOrPassword, false, 2), (error.ReasonCode, error.IsTransient, attempts));
    }

    [Fact]
    public async Task From_the_second_attempt_on_the_hook_can_bring_the_network_up_again()
    {
        await using var broker = InMemory.Broker();
        var up = false;
        var options = InMemory.Options(() => up ? broker.ConnectInMemory() : throw new IOException("the modem is off"));
        var recoveries = new List<int>();
        options.Connection.BeforeConnect = (attempt, _) =>
        {
            if (attempt.Number > 1)
            {
                recoveries.Add(attempt.Number);
                up = attempt.Number == 3;
            }

            return ValueTask.CompletedTask;
        };
        options.Reconnect.FirstConnect = FirstConnect.KeepTrying;
        await using var client = new MqttClient(options);

        await client.ConnectAsync().Soon();

        Assert.Equal([2, 3], recoveries);
    }

    [Fact]
    public async Task A_hook_that_throws_fails_the_attempt_and_not_the_client()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.Connection.BeforeConnect = (attempt, _) => attempt.Number == 1 ? throw new TimeoutException("no token") : ValueTask.CompletedTask;
        await using var client = new MqttClient(options);
        await using var events = new EventReader(client);

        await client.ConnectAsync().Soon();

        var failed = await events.NextAsync<ClientEvent.ConnectFailed>();
        var error = Assert.IsType<MqttConnectException>(failed.Error);
        Assert.Equal(ConnectStage.Preparation, error.Stage);
        Assert.IsType<TimeoutException>(error.InnerException);
    }

    [Fact]
    public async Task A_hook_that_asks_for_what_cannot_work_fails_for_good_and_tells_no_secret()
    {
        var options = InMemory.Options(() => throw new InvalidOperationException("nothing may be opened"));
        options.Connection.BeforeConnect = (attempt, _) =>
        {
            attempt.Credentials = new MqttCredentials("a\0b", "s3cret");
            return ValueTask.CompletedTask;
        };
        using var logs = new LogNotes();
        options.LoggerFactory = logs;
        await using var client = new MqttClient(options);

        var error = await Assert.ThrowsAsync<MqttConnectException>(() => client.ConnectAsync().Soon());

        Assert.False(error.IsTransient);
        Assert.DoesNotContain('\n', error.Message);
        await Eventually.True(() => logs.Entries.Any(entry => entry.Id == 105));
        var logged = Assert.Single(logs.Entries, entry => entry.Level >= LogLevel.Warning);
        Assert.Contains("Credentials.UserName holds U+0000", logged.Text, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', logged.Text);
        Assert.DoesNotContain("s3cret", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_that_is_not_provisioned_opens_nothing_and_connects_with_what_it_is_given_later()
    {
        await using var broker = InMemory.Broker(options => options.Authenticate = login => login.UserName == "device-7" ? ReasonCode.Success : ReasonCode.NotAuthorized);
        var record = new TaskCompletionSource<MqttServer>();
        var options = new MqttClientOptions("mqtt://not-provisioned.invalid");
        options.Connection.ReadinessGate = async cancellation => await record.Task.WaitAsync(cancellation);
        options.Connection.BeforeConnect = async (attempt, _) => attempt.Server = await record.Task;
        await using var client = new MqttClient(options);
        await using var events = new EventReader(client);
        var connecting = client.ConnectAsync();
        await events.NextAsync<ClientEvent.Connecting>();
        Assert.Empty(broker.ConnectedClients);

        var provisioned = MqttServer.FromStream("provisioned", _ => ValueTask.FromResult(broker.ConnectInMemory()));
        provisioned.Credentials = new MqttCredentials("device-7", "x");
        record.SetResult(provisioned);

        await connecting.Soon();
        Assert.Equal("provisioned", client.Status.Server);
    }

    [Fact]
    public async Task Disconnecting_ends_a_gate_that_listens_to_nobody()
    {
        var asked = new TaskCompletionSource();
        var options = InMemory.Options(() => throw new InvalidOperationException("nothing may be opened"));
        options.Connection.ReadinessGate = _ =>
        {
            asked.TrySetResult();
            return new ValueTask(new TaskCompletionSource().Task);
        };
        await using var client = new MqttClient(options);
        var connecting = client.ConnectAsync();
        await asked.Task.Soon();

        await client.DisconnectAsync().Soon();

        await Assert.ThrowsAsync<MqttDisconnectedException>(() => connecting.Soon());
        Assert.Equal(ClientState.Disconnected, client.State);
    }

    [Fact]
    public void An_attempt_is_for_some_server_and_some_client()
    {
        var attempt = new ConnectAttempt(new MqttServer("mqtt://localhost")) { ClientId = "me" };

        Assert.Throws<ArgumentNullException>(() => attempt.Server = null!);
        Assert.Throws<ArgumentNullException>(() => attempt.ClientId = null!);

        Assert.Equal(("localhost", "me"), (attempt.Server.Host, attempt.ClientId));
    }
}
