// Compiled ahead of time and run by ./test: what needs reflection or runtime code generation breaks here.
using Nightjar;
using Nightjar.Testing;

using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
await using var broker = new MqttTestBroker();
var uri = args.Length > 0 ? args[0] : broker.Uri;
await using var client = new MqttClient(uri);

try
{
    var connected = await client.ConnectAsync(deadline.Token);
    Console.WriteLine($"connected to {uri}, {connected.Version}");

    await using var subscription = client.Subscribe("proof/+", new SubscribeOptions { QoS = QoS.ExactlyOnce });
    await subscription.Granted.WaitAsync(deadline.Token);

    QoS[] published = [QoS.AtMostOnce, QoS.AtLeastOnce, QoS.ExactlyOnce];
    foreach (var qos in published)
    {
        var result = await client.PublishAsync($"proof/{(int)qos}", $"at QoS {(int)qos}", qos, cancellationToken: deadline.Token);
        Console.WriteLine($"published at QoS {(int)qos}: {result.ReasonCode}");
    }

    var missing = published.ToHashSet();
    await foreach (var message in subscription.WithCancellation(deadline.Token))
    {
        Console.WriteLine($"received {message}: {message.Text}");
        if (message.Text != $"at QoS {(int)message.QoS}" || message.Topic != $"proof/{(int)message.QoS}" || !missing.Remove(message.QoS))
        {
            throw new InvalidDataException("That is not what was published.");
        }

        if (missing.Count == 0)
        {
            break;
        }
    }

    Console.WriteLine("proved");
    return 0;
}
catch (Exception exception) when (exception is MqttException or OperationCanceledException or InvalidDataException)
{
    await Console.Error.WriteLineAsync($"not proved: {exception}");
    return 1;
}
