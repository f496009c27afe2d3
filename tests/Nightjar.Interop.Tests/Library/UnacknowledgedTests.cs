using System.Threading.Channels;
using Nightjar.Interop.Tests.Mosquitto;
using Xunit;

namespace Nightjar.Interop.Tests.Library;

/// <summary>Messages left unacknowledged, at a broker whose own window is far smaller than our Receive Maximum.</summary>
public sealed class UnacknowledgedTests
{
    [Theory]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task Messages_left_unacknowledged_do_not_stop_the_others_for_good(MqttVersion version)
    {
        const int Messages = 60;
        await using var broker = await MosquittoBroker.StartAsync();
        await using var client = new MqttClient(new MqttClientOptions(broker.Uri)
        {
            Version = version,
            ClientId = "leaver",
            Reconnect = new ReconnectOptions { MinimumDelay = TimeSpan.FromMilliseconds(10), MaximumDelay = TimeSpan.FromMilliseconds(50) },
        });
        var handled = Channel.CreateUnbounded<string>();
        await client.On("t", message =>
        {
            // Of the first time it sees a message nothing is acknowledged: more than Mosquitto has under way at once (20).
            if (!message.Duplicate)
            {
                message.LeaveUnacknowledged();
                return;
            }

            handled.Writer.TryWrite(message.Text);
        }).Granted;
        await using var publisher = new MqttClient(broker.Uri);
        for (var i = 0; i < Messages; i++)
        {
            await publisher.PublishAsync("t", $"{i}");
        }

        var seen = new HashSet<string>();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));

        // Those of the last round may be too few to renew the connection for; all but these come again.
        while (seen.Count < Messages - 10)
        {
            seen.Add(await handled.Reader.ReadAsync(patience.Token));
        }
    }
}
