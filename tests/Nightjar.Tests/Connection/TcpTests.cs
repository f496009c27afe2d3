using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Connection;

/// <summary>The same over sockets, through a network that misbehaves.</summary>
public sealed class TcpTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(int.MaxValue)]
    public async Task Messages_pass_in_pieces_of_any_size(int piece)
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { Patience = Deadline.Patience });
        await using var network = new FaultyNetwork { ToServer = { MaximumPiece = piece }, ToClient = { MaximumPiece = piece } };
        network.Listen(broker.Port);
        await using var client = new MqttClient(network.Uri);
        var subscription = client.Subscribe("t", new SubscribeOptions { QoS = QoS.ExactlyOnce });
        await subscription.Granted.Soon();
        await using var messages = subscription.GetAsyncEnumerator();

        for (var i = 0; i < 30; i++)
        {
            await client.PublishAsync("t", $"{i}", (QoS)(i % 3)).Soon();
            Assert.True(await messages.MoveNextAsync().Soon());
            Assert.Equal($"{i}", messages.Current.Text);
        }
    }

    [Fact]
    public async Task A_cut_anywhere_in_the_stream_loses_no_message()
    {
        await using var broker = new MqttTestBroker(new MqttTestBrokerOptions { Patience = Deadline.Patience });
        await using var network = new FaultyNetwork();
        network.Listen(broker.Port);
        var options = new MqttClientOptions(network.Uri)
        {
            Reconnect = new ReconnectOptions { MinimumDelay = TimeSpan.FromMilliseconds(1), MaximumDelay = TimeSpan.FromMilliseconds(10) },
        };
        await using var client = new MqttClient(options);
        await client.ConnectAsync().Soon();

        for (var i = 0; i < 40; i++)
        {
            (i % 2 == 0 ? network.ToServer : network.ToClient).CutAfter(60 + i);
            await client.PublishAsync("t", $"{i}", QoS.ExactlyOnce).Soon();
        }

        Assert.Equal(Enumerable.Range(0, 40).Select(i => $"{i}"), broker.Published.Select(message => message.Text));
        Assert.True(network.Connections > 5, $"{network.Connections} connections");
    }
}
