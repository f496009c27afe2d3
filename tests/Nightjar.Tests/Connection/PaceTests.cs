using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Connection;

/// <summary>Holding back, through the whole client; the rules themselves are the engine's.</summary>
public sealed class PaceTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task A_limited_client_publishes_at_its_rate()
    {
        await using var peer = InMemory.Peer();
        var options = InMemory.Options(peer, _time);
        options.Outbox.Pace.MessagesPerSecond = 2;
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);

        var first = client.PublishAsync("t", "1", QoS.AtMostOnce);
        var second = client.PublishAsync("t", "2", QoS.AtMostOnce);

        Assert.Equal("1", (await peer.ExpectAsync<MqttMessage>()).Text);
        await first.Soon();
        Assert.False(second.IsCompleted);
        await _time.WaitForTimerAsync(TimeSpan.FromSeconds(0.51)).Soon();
        _time.Advance(TimeSpan.FromSeconds(0.51));
        Assert.Equal("2", (await peer.ExpectAsync<MqttMessage>()).Text);
        await second.Soon();
    }

    [Fact]
    public async Task Throttling_shows_in_the_status_and_decays()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer, _time));
        using var end = new AbortAtEnd(client);

        client.Throttle(TimeSpan.FromSeconds(2));
        Assert.Equal(TimeSpan.FromSeconds(2), client.Status.PublishDelay);
        client.Throttle(TimeSpan.FromSeconds(2));
        Assert.Equal(TimeSpan.FromSeconds(4), client.Status.PublishDelay);
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(TimeSpan.FromSeconds(2), client.Status.PublishDelay);
    }

    [Fact]
    public async Task Throttling_by_nothing_is_a_mistake()
    {
        await using var client = new MqttClient("mqtt://127.0.0.1:1");

        Assert.Throws<ArgumentOutOfRangeException>(() => client.Throttle(TimeSpan.Zero));
    }

    [Theory]
    [InlineData(-1.0, 1, "MessagesPerSecond")]
    [InlineData(0.0001, 1, "MessagesPerSecond")]
    [InlineData(10.0, 0, "Burst")]
    public void Impossible_limits_are_refused(double rate, int burst, string named)
    {
        var options = new MqttClientOptions("mqtt://127.0.0.1") { Outbox = { Pace = new PaceOptions { MessagesPerSecond = rate, Burst = burst } } };

        Assert.Contains($"Outbox.Pace.{named}", Assert.Throws<ArgumentException>(() => new MqttClient(options)).Message, StringComparison.Ordinal);
    }
}
