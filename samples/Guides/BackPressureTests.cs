using System.Threading.Channels;
using Nightjar;
using Nightjar.Testing;
using Xunit;

namespace Guides;

/// <summary>docs/back-pressure.md says what is true.</summary>
public sealed class BackPressureTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_readings_arrive_however_small_the_servers_window()
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { Listen = false, ReceiveMaximum = 5 });
        await using var client = InMemory.ClientOf(broker);

        await BackPressure.PublishAllAsync(client, Enumerable.Range(0, 1000).Select(i => ($"{i}", "1")));

        Assert.Equal(1000, broker.Published.Count);
    }

    [Fact]
    public async Task A_fleet_slows_down_when_it_is_asked_to()
    {
        await using var broker = InMemory.Broker();
        var seen = new Acknowledgements();
        var options = InMemory.OptionsFor(broker);
        options.PacketInspector = seen;
        await using var client = new MqttClient(options);
        await using var subscription = BackPressure.SlowDownOnRequest(client);
        await subscription.Granted;

        await broker.PublishAsync("fleet/slow-down", "");
        await seen.NextAsync(Stop);

        Assert.Equal(TimeSpan.FromSeconds(1), client.Status.PublishDelay);
    }

    [Fact]
    public async Task Of_the_frames_that_wait_the_newest_is_shown_and_the_others_are_counted()
    {
        await using var broker = InMemory.Broker();
        await using var client = InMemory.ClientOf(broker);
        var shown = Channel.CreateUnbounded<string>();
        var first = new TaskCompletionSource();
        await using var frames = BackPressure.NewestOnly(client, async message =>
        {
            shown.Writer.TryWrite(message.Text);
            await first.Task;
        });
        await using var fence = client.On("fence", message => shown.Writer.TryWrite(message.Text));
        await frames.Granted;
        await fence.Granted;

        await broker.PublishAsync("camera/1/frame", "1", QoS.AtMostOnce);
        Assert.Equal("1", await shown.Reader.ReadAsync(Stop));
        for (var i = 2; i <= 5; i++)
        {
            await broker.PublishAsync("camera/1/frame", $"{i}", QoS.AtMostOnce);
        }

        await broker.PublishAsync("fence", "all there");
        Assert.Equal("all there", await shown.Reader.ReadAsync(Stop));
        first.SetResult();

        Assert.Equal("5", await shown.Reader.ReadAsync(Stop));
        Assert.Equal(3, client.Status.Dropped);
        Assert.Contains("3 messages of QoS 0 were dropped", BackPressure.Explain(client));
    }

    [Fact]
    public async Task A_large_message_goes_to_a_file_as_it_arrives()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.OptionsFor(broker);
        BackPressure.AllowLarge(options);
        var seen = new Acknowledgements();
        options.PacketInspector = seen;
        await using var client = new MqttClient(options);
        var path = Path.GetTempFileName();
        try
        {
            await using var subscription = BackPressure.SaveLarge(client, path);
            await subscription.Granted;
            await broker.PublishAsync(new OutgoingMessage("firmware/1", new byte[3_000_000]));
            await seen.NextAsync(Stop);

            Assert.Equal(3_000_000, new FileInfo(path).Length);
            Assert.Equal(0, client.Status.SkippedMessages);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task A_message_that_is_too_large_is_skipped_and_told()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.OptionsFor(broker);
        BackPressure.SkipLarge(options);
        await using var client = new MqttClient(options);
        await using var events = client.Events.GetAsyncEnumerator(Stop);
        await using var subscription = client.On("#", _ => { });
        await subscription.Granted;

        await broker.PublishAsync(new OutgoingMessage("firmware/1", new byte[3_000_000]));
        while (events.Current is not ClientEvent.MessageSkipped)
        {
            Assert.True(await events.MoveNextAsync());
        }

        Assert.Equal(ClientState.Connected, client.State);
    }

    [Fact]
    public async Task All_options_of_the_page_are_valid()
    {
        var options = new MqttClientOptions("mqtt://localhost");
        BackPressure.LimitRate(options);
        BackPressure.PassOverStuckHandlers(options);

        await using var client = new MqttClient(options);

        Assert.Empty(BackPressure.Explain(client));
    }
}
