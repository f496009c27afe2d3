using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Connection;

public sealed class PingTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task It_returns_the_round_trip()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer, _time));
        using var end = new AbortAtEnd(client);

        var first = client.PingAsync();
        var second = client.PingAsync();
        await peer.ExpectAsync(PacketType.PingReq);
        _time.Advance(TimeSpan.FromSeconds(2));
        await peer.SendAsync(default(PingRespPacket));

        // The flusher may report the write only now; from where the time counts is tested in the engine.
        var roundTrip = await first.Soon();
        Assert.InRange(roundTrip, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.Equal(roundTrip, await second.Soon());
        Assert.Equal(roundTrip, client.Statistics.LastRoundTrip);
    }

    [Fact]
    public async Task Without_a_connection_it_says_so()
    {
        await using var client = new MqttClient("mqtt://127.0.0.1:1");

        var error = await Assert.ThrowsAsync<MqttDisconnectedException>(() => client.PingAsync());

        Assert.True(error.IsTransient);
        Assert.Contains("no connection to mqtt://127.0.0.1:1", error.Message, StringComparison.Ordinal);
        client.Abort();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.PingAsync());
    }

    [Fact]
    public async Task No_answer_fails_the_call_and_the_connection()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer, _time));
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);

        var ping = client.PingAsync();
        await peer.ExpectAsync(PacketType.PingReq);
        await _time.WaitForTimerAsync(TimeSpan.FromSeconds(30)).Soon();
        _time.Advance(TimeSpan.FromSeconds(31));

        var error = await Assert.ThrowsAsync<MqttDisconnectedException>(() => ping.Soon());
        Assert.Contains("PINGREQ", error.Message, StringComparison.Ordinal);
        await events.NextAsync<ClientEvent.Disconnected>();
    }

    [Fact]
    public async Task Cancelling_ends_the_wait()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer, _time));
        using var end = new AbortAtEnd(client);
        using var cancelled = new CancellationTokenSource();

        var ping = client.PingAsync(cancelled.Token);
        await peer.ExpectAsync(PacketType.PingReq);
        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ping.Soon());
        Assert.Equal(ClientState.Connected, client.State);
    }

    [Fact]
    public async Task It_is_legal_in_a_handler()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        var answered = new TaskCompletionSource<TimeSpan>();
        await client.On("t", async (_, stopping) => answered.SetResult(await client.PingAsync(stopping))).Granted.Soon();

        await broker.PublishAsync("t", "x");

        Assert.True(await answered.Task.Soon() > TimeSpan.Zero);
    }

    [Fact]
    public async Task When_keep_alive_is_due_can_be_seen()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer, _time));
        using var end = new AbortAtEnd(client);

        _time.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(TimeSpan.FromSeconds(35), client.Status.NextKeepAliveIn);
    }

    [Fact]
    public async Task Without_keep_alive_none_is_due()
    {
        await using var peer = InMemory.Peer();
        var options = InMemory.Options(peer, _time);
        options.KeepAlive = TimeSpan.Zero;
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);

        Assert.Null(client.Status.NextKeepAliveIn);
    }
}
