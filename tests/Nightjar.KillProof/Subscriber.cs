using System.Globalization;
using System.Text;

namespace Nightjar.KillProof;

/// <summary>Writes down each delivery, its number and its payload, with one system call; ends with 0 after the last.</summary>
internal sealed class Subscriber(Settings settings)
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _handled;

    public async Task<int> RunAsync()
    {
        // Without a buffer: each Write is one call, at the end of the file, and nobody else writes there.
        await using var file = new FileStream(settings.File, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        file.Write("start\n"u8);

        await using var client = new MqttClient(settings.ToClientOptions());
        var subscription = client.On(
            Settings.Topic,
            message => HandleAsync(file, message),
            new SubscribeOptions { QoS = settings.QoS, Acknowledge = settings.Acknowledge });
        await client.ConnectAsync();
        await subscription.Granted;
        Settings.Say("subscribed.");
        await _ended.Task;
        return 0;
    }

    private async ValueTask HandleAsync(FileStream file, MqttMessage message)
    {
        file.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{message.DeliveryId} {message.Text}\n")));
        if (message.Text == Settings.End)
        {
            _ended.TrySetResult();
        }

        if (++_handled % settings.Step == 0)
        {
            Settings.Say($"handled {_handled}.");
        }

        if (settings.Rest > 0 && _handled % settings.Rest == 0)
        {
            await Task.Delay(1);
        }
    }
}
