using Nightjar;
using Xunit;

namespace Guides;

/// <summary>docs/outbox.md says what is true.</summary>
public sealed class OutboxTests
{
    [Fact]
    public async Task A_receipt_says_what_became_of_a_message()
    {
        await using var broker = InMemory.Broker();
        await using var client = InMemory.ClientOf(broker);

        Assert.False((await Outbox.FollowAsync(client)).ReasonCode.IsFailure());

        await Outbox.SendAllAsync(client, ["1", "2", "3"]);
        Assert.Equal(["too hot", "1", "2", "3"], broker.Published.Select(message => message.Text));
    }

    [Fact]
    public async Task An_order_with_an_identifier_is_sent_once()
    {
        await using var broker = InMemory.Broker();
        await using var client = InMemory.ClientOf(broker);

        await Outbox.OrderOnceAsync(client, "1 engine");
        await (await Outbox.OrderOnceAsync(client, "1 engine")).Acknowledged;

        Assert.Single(broker.Published);
    }

    [Fact]
    public async Task The_options_hold_and_positions_expire()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.OptionsFor(broker);
        Outbox.KeepLatest(options);
        await using var client = new MqttClient(options);

        await Outbox.TellPositionAsync(client, "51.5 7.0");

        Assert.Equal(TimeSpan.FromSeconds(60), Assert.Single(broker.Published).TimeToLive);
    }

    [Fact]
    public async Task A_file_arrives_whole()
    {
        await using var broker = InMemory.Broker();
        await using var client = InMemory.ClientOf(broker);
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(path, new byte[100_000], TestContext.Current.CancellationToken);

            await Outbox.SendFileAsync(client, path);
        }
        finally
        {
            File.Delete(path);
        }

        Assert.Equal(100_000, Assert.Single(broker.Published).Payload.Length);
    }

    [Fact]
    public async Task A_bridge_passes_messages_on()
    {
        await using var plant = InMemory.Broker();
        await using var site = InMemory.Broker();
        await using var source = InMemory.ClientOf(plant);
        await using var target = InMemory.ClientOf(site);
        await using var bridge = Outbox.Bridge(source, target);
        await bridge.Granted;

        await plant.PublishAsync("plant/7", "x");

        Assert.Equal("site-7/plant/7", Assert.Single(await site.WaitForPublishedAsync(1, TestContext.Current.CancellationToken)).Topic);
    }
}
