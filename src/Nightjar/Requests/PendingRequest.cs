namespace Nightjar.Requests;

/// <summary>Who waits for one answer.</summary>
internal sealed class PendingRequest(string topic, TimeSpan timeout)
{
    private readonly TaskCompletionSource<MqttMessage> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What the answer is known by.</summary>
    public ulong Correlation { get; set; }

    public Task<MqttMessage> Task => _source.Task;

    public void Answer(MqttMessage message) => _source.TrySetResult(message);

    public void Fail(Exception error)
    {
        if (_source.TrySetException(error))
        {
            // Whoever stopped waiting does not look.
            _ = _source.Task.Exception;
        }
    }

    public void TimeOut() => Fail(new MqttTimeoutException($"No answer to the request on '{topic}' came within {timeout.TotalSeconds} s."));
}
