using System.Globalization;
using Nightjar.Interop.Tests.Mosquitto;
using Xunit;

namespace Nightjar.Interop.Tests.Durable;

/// <summary>A subscriber that nobody kills; it counts how often each number came.</summary>
internal sealed class Listener : IAsyncDisposable
{
    public const string Topic = "kill";
    public const string End = "end";

    private readonly MqttClient _client;
    private readonly string _uri;
    private readonly Dictionary<int, int> _counts = [];
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Listener(MosquittoBroker broker)
    {
        _uri = broker.Uri;

        // Mosquitto 2.0.11 sends more than it was allowed.
        _client = new MqttClient(new MqttClientOptions(broker.Uri) { Receive = new ReceiveOptions { ReceiveMaximum = ushort.MaxValue } });
    }

    public int Arrived => _counts.Values.Sum();

    public static async Task<Listener> StartAsync(MosquittoBroker broker, QoS qos)
    {
        var listener = new Listener(broker);
        await listener._client.On(Topic, listener.Take, new SubscribeOptions { QoS = qos }).Granted;
        return listener;
    }

    /// <summary>Waits for everything that the broker was given before this call.</summary>
    public async Task EndAsync()
    {
        await using var client = new MqttClient(_uri);
        await client.PublishAsync(Topic, End, QoS.ExactlyOnce);
        await _ended.Task.WaitAsync(TimeSpan.FromSeconds(60));
    }

    /// <summary>Each number from 1 on came once, or once at least.</summary>
    public void AssertComplete(int messages, bool exactlyOnce)
    {
        var lost = Enumerable.Range(1, messages).Where(number => !_counts.ContainsKey(number)).ToList();
        var twice = _counts.Where(count => count.Value > 1).Select(count => count.Key).Order().ToList();
        Assert.True(lost.Count == 0, $"{lost.Count} lost: {string.Join(", ", lost.Take(20))}");
        Assert.True(!exactlyOnce || twice.Count == 0, $"{twice.Count} came twice: {string.Join(", ", twice.Take(20))}");
    }

    public ValueTask DisposeAsync() => _client.DisposeAsync();

    private void Take(MqttMessage message)
    {
        if (message.Text == End)
        {
            _ended.TrySetResult();
        }
        else
        {
            var number = int.Parse(message.Text, CultureInfo.InvariantCulture);
            _counts[number] = _counts.GetValueOrDefault(number) + 1;
        }
    }
}
