using System.Globalization;

namespace Nightjar.Interop.Tests.Library;

/// <summary>How often each numbered message of each topic arrived. Thread-safe.</summary>
internal sealed class Arrivals(int perTopic, params string[] topics)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int[]> _counts = topics.ToDictionary(topic => topic, _ => new int[perTopic]);
    private readonly List<ushort> _repeated = [];
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _missing = perTopic * topics.Length;

    public void Add(MqttMessage message)
    {
        lock (_lock)
        {
            var count = ++_counts[message.Topic][int.Parse(message.Text, CultureInfo.InvariantCulture)];
            if (count > 1 && message.QoS == QoS.ExactlyOnce)
            {
                _repeated.Add(message.PacketId);
            }

            if (count == 1 && --_missing == 0)
            {
                _complete.SetResult();
            }
        }
    }

    /// <summary>Completes when every message has arrived at least once; says which did not if they do not come.</summary>
    public async Task CompleteAsync()
    {
        try
        {
            await _complete.Task.WaitAsync(Patience);
        }
        catch (TimeoutException exception)
        {
            var missing = topics.Select(topic => $"{topic}: {string.Join(' ', Missing(topic))}");
            throw new TimeoutException($"Missing {string.Join("; ", missing)}", exception);
        }
    }

    /// <summary>The packet identifiers of QoS 2 messages that arrived again.</summary>
    public ushort[] Repeated()
    {
        lock (_lock)
        {
            return [.. _repeated];
        }
    }

    public int[] Counts(string topic)
    {
        lock (_lock)
        {
            return [.. _counts[topic]];
        }
    }

    private IEnumerable<int> Missing(string topic) => Counts(topic).Index().Where(entry => entry.Item == 0).Select(entry => entry.Index);
}
