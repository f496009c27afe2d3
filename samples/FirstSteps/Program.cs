using Nightjar;

await using var client = new MqttClient("mqtt://localhost");

await client.PublishAsync("home/kitchen/temperature", "21.5", retain: true); // QoS 1 unless you say otherwise

await foreach (var message in client.Subscribe("home/+/temperature"))
{
    Console.WriteLine($"{message.Topic} {message.Text}");
}
