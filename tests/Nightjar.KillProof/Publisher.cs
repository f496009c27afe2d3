using System.Globalization;
using System.Text;

namespace Nightjar.KillProof;

/// <summary>Enqueues numbered messages, each with an identifier of its own, so that it may do so after every start; ends with 0 when all are acknowledged.</summary>
internal sealed class Publisher(Settings settings) : IDisposable
{
    private readonly SemaphoreSlim _room = new(settings.Window == 0 ? int.MaxValue : settings.Window);
    private readonly List<Task> _waits = [];
    private int _stored;
    private int _acknowledged;
    private int _doubtful;

    public async Task<int> RunAsync()
    {
        await using var client = new MqttClient(settings.ToClientOptions());
        _ = WatchAsync(client);
        await client.OpenAsync();
        Settings.Say("open.");

        // What an earlier process was told to be stored needs no second call: it is pending, or known as completed.
        for (var number = 1; number < settings.From; number++)
        {
            var receipt = client.FindReceipt(IdOf(number));
            if (receipt is null)
            {
                await Console.Error.WriteLineAsync($"{IdOf(number)} was stored, and is forgotten.");
                return 2;
            }

            _waits.Add(FollowAsync(client, receipt, holdsRoom: false));
        }

        for (var number = settings.From; number <= settings.Messages; number++)
        {
            await _room.WaitAsync();
            var receipt = await client.EnqueueAsync(
                new OutgoingMessage(Settings.Topic, Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture))) { QoS = settings.QoS, Id = IdOf(number) });
            _waits.Add(FollowAsync(client, receipt, holdsRoom: true));
            if (++_stored % settings.Step == 0)
            {
                Settings.Say($"stored {number}.");
            }
        }

        await Task.WhenAll(_waits);
        await client.DrainAsync();
        if (settings.Hold)
        {
            Settings.Say("idle.");
            await Task.Delay(Timeout.InfiniteTimeSpan);
        }

        Settings.Say($"all {settings.Messages} acknowledged, resent {client.Statistics.MessagesResent}, possibly duplicated {_doubtful}.");
        return 0;
    }

    public void Dispose() => _room.Dispose();

    private static string IdOf(int number) => string.Create(CultureInfo.InvariantCulture, $"m-{number:d6}");

    private async Task FollowAsync(MqttClient client, DeliveryReceipt receipt, bool holdsRoom)
    {
        var isNews = !receipt.Acknowledged.IsCompleted;
        var result = await receipt.Acknowledged.ConfigureAwait(false);
        if (result.Flags.HasFlag(PublishFlags.PossiblyDuplicated))
        {
            Interlocked.Increment(ref _doubtful);
        }

        if (holdsRoom)
        {
            _room.Release();
        }

        if (isNews && Interlocked.Increment(ref _acknowledged) is var count && count % settings.Step == 0)
        {
            Settings.Say($"acknowledged {count}. resent {client.Statistics.MessagesResent}.");
        }
    }

    // Nothing of this belongs to a run with a broker that works and a disk that has room.
    private static async Task WatchAsync(MqttClient client)
    {
        await foreach (var happened in client.Events)
        {
            if (happened is ClientEvent.Quarantined or ClientEvent.PublishesDropped or ClientEvent.MessageDropped or ClientEvent.StorageFailed or ClientEvent.ConnectFailed)
            {
                await Console.Error.WriteLineAsync(happened.ToString());
            }
        }
    }
}
