using System.Globalization;

namespace Nightjar.Interop.Tests.Library;

/// <summary>How often each numbered message of each topic arrived. Thread-safe.</summary>
internal sealed class Arrivals(int perTopic, params string[] topics)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int[]> _counts = topics.ToDictionary(topic => topic, _ => new int[perTopic]);
    private readonly TaskCompletionSource _complete = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _missing = perTopic * topics.Length;

    /// <summary>Completes when every message has arrived at least once.</summary>
    public Task Complete => _complete.Task;

    public void Add(MqttMessage message)
    {
        lock (_lock)
        {
            if (++_counts[message.Topic][int.Parse(message.Text, CultureInfo.InvariantCulture)] == 1 && --_missing == 0)
            {
                _complete.SetResult();
            }
        }
    }

    public int[] Counts(string topic)
    {
        lock (_lock)
        {
            return [.. _counts[topic]];
        }
    }
}
