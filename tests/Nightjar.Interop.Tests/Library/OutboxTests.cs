using System.Net.Sockets;
using Nightjar.Interop.Tests.Mosquitto;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Interop.Tests.Library;

public sealed class OutboxTests
{
    [Fact]
    public async Task The_server_is_told_what_is_left_of_a_messages_time()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var listener = new MqttClient(broker.Uri);
        await using var subscription = listener.Subscribe("t");
        await subscription.Granted;
        var time = new ManualTimeProvider();
        var reachable = new TaskCompletionSource();
        var uri = new Uri(broker.Uri);
        await using var client = new MqttClient(new MqttClientOptions
        {
            Servers =
            {
                MqttServer.FromStream("mosquitto", async cancellationToken =>
                {
                    await reachable.Task.WaitAsync(cancellationToken);
                    var socket = new TcpClient();
                    await socket.ConnectAsync(uri.Host, uri.Port, cancellationToken);
                    return socket.GetStream();
                }),
            },
            Reconnect = { FirstConnect = FirstConnect.KeepTrying },
            TimeProvider = time,
        });
        var receipt = await client.EnqueueAsync(new OutgoingMessage("t", "x") { TimeToLive = TimeSpan.FromSeconds(60) });

        time.Advance(TimeSpan.FromSeconds(10));
        reachable.SetResult();
        await receipt.Acknowledged;

        var received = await subscription.FirstAsync();
        Assert.InRange(received.TimeToLive!.Value, TimeSpan.FromSeconds(40), TimeSpan.FromSeconds(50));
        client.Abort(); // its clock stands still, and so would its end
    }

    [Fact]
    public async Task What_is_queued_when_the_client_is_disposed_is_delivered_first()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var listener = new MqttClient(broker.Uri);
        await using var subscription = listener.Subscribe("t");
        await subscription.Granted;
        var receipts = new List<DeliveryReceipt>();
        var client = new MqttClient(broker.Uri);
        for (var i = 0; i < 100; i++)
        {
            receipts.Add(await client.EnqueueAsync("t", $"{i}"));
        }

        await client.DisposeAsync();

        Assert.All(receipts, receipt => Assert.Equal(DeliveryState.Delivered, receipt.State));
        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"{i}"), await subscription.Take(100).Select(message => message.Text).ToListAsync());
    }

    [Fact]
    public async Task A_hundred_megabytes_are_published_from_a_stream()
    {
        const int Length = 100 * 1024 * 1024;
        await using var broker = await MosquittoBroker.StartAsync();
        var options = new MqttClientOptions(broker.Uri);
        options.Receive.MaximumStreamedPacketSize = Length + 100;
        options.Outbox.MaximumBytes = Length + 100;
        await using var client = new MqttClient(options);
        var arrived = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var subscription = client.OnStream("t", async (message, cancellationToken) =>
        {
            var buffer = new byte[128 * 1024];
            long count = 0;
            for (int read; (read = await message.Payload.ReadAsync(buffer, cancellationToken)) > 0; count += read)
            {
            }

            arrived.TrySetResult(count);
        });
        await subscription.Granted;
        using var directory = new TemporaryDirectory();
        await using var file = new FileStream(Path.Combine(directory.Path, "payload"), FileMode.Create);
        file.SetLength(Length);

        await client.PublishAsync("t", file, Length);

        Assert.Equal(Length, await arrived.Task.WaitAsync(TimeSpan.FromMinutes(1)));
    }
}
