using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Topics;

namespace Nightjar.Subscriptions;

/// <summary>What the server said to the filters of one subscription, and who waits for it. Written under the host's lock, read from anywhere.</summary>
internal sealed class SubscriptionGrant
{
    private readonly IReadOnlyList<TopicFilter> _filters;
    private readonly SubscribeResult?[] _answers;
    private volatile TaskCompletionSource<QoS> _granted = New<QoS>();
    private volatile TaskCompletionSource<IReadOnlyList<SubscribeResult>> _results = New<IReadOnlyList<SubscribeResult>>();

    private TaskCompletionSource<bool>? _next;

    /// <param name="filters">What the server is asked for; of none, all are granted.</param>
    /// <param name="qos">What it is asked for.</param>
    public SubscriptionGrant(IReadOnlyList<TopicFilter> filters, QoS qos)
    {
        _filters = filters;
        _answers = new SubscribeResult?[filters.Count];
        if (filters.Count == 0)
        {
            _granted.SetResult(qos);
            _results.SetResult([]);
        }
    }

    public Task<QoS> Granted => _granted.Task;

    public Task<IReadOnlyList<SubscribeResult>> Results => _results.Task;

    /// <summary>Ends with whatever the server, or the end, says next; called under the host's lock.</summary>
    public Task NextAnswer() => (_next ??= New<bool>()).Task;

    /// <summary>The server answered one filter. Returns what it refused, if it refused that one.</summary>
    public MqttRefusedException? Answer(in SubscriptionAnswer answer)
    {
        for (var i = 0; i < _filters.Count; i++)
        {
            if (_filters[i] == answer.Filter)
            {
                _answers[i] = ToResult(answer);
            }
        }

        Interlocked.Exchange(ref _next, null)?.TrySetResult(true);
        if (Array.TrueForAll(_answers, result => result is not null))
        {
            Complete();
        }

        return answer.ReasonCode.IsFailure() ? Refusal([ToResult(answer)]) : null;
    }

    /// <summary>The client gave up for now: who waits hears it, and who asks from here on waits for the next attempt.</summary>
    public void Interrupt(Exception error)
    {
        FailNext(error);
        if (!_granted.Task.IsCompleted)
        {
            var (granted, results) = (_granted, _results);
            _granted = New<QoS>();
            _results = New<IReadOnlyList<SubscribeResult>>();
            Fail(granted, error);
            Fail(results, error);
        }
    }

    /// <summary>There will be no answer any more.</summary>
    public void End(Exception error)
    {
        FailNext(error);
        Fail(_granted, error);
        Fail(_results, error);
    }

    public static SubscribeResult ToResult(in SubscriptionAnswer answer) => new(answer.Filter.Text, answer.ReasonCode)
    {
        ReasonString = answer.Detail,
        UserProperties = answer.UserProperties ?? [],
    };

    private void FailNext(Exception error)
    {
        if (Interlocked.Exchange(ref _next, null) is { } next)
        {
            Fail(next, error);
        }
    }

    private static TaskCompletionSource<T> New<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static void Fail<T>(TaskCompletionSource<T> source, Exception error)
    {
        if (source.TrySetException(error))
        {
            // Not everybody asks; an answer that nobody reads is no unobserved exception.
            _ = source.Task.Exception;
        }
    }

    private static MqttRefusedException Refusal(List<SubscribeResult> refused)
    {
        var details = refused.Select(result =>
            $"'{result.Filter}' was refused: {result.ReasonCode} (0x{(byte)result.ReasonCode:X2}).{(result.ReasonString is { } text ? $" {text}" : "")}");
        return new MqttRefusedException($"The subscription to {string.Join(" The one to ", details)}")
        {
            ReasonCode = refused[0].ReasonCode,
            ReasonString = refused[0].ReasonString,
            UserProperties = refused[0].UserProperties,
        };
    }

    /// <summary>All have their answer. After a reconnection there may be another than before: who asks from then on hears that one.</summary>
    private void Complete()
    {
        SubscribeResult[] results = [.. _answers!];
        if (_results.Task.IsCompleted)
        {
            _results = New<IReadOnlyList<SubscribeResult>>();
        }

        _results.TrySetResult(results);
        if (_granted.Task.IsCompleted)
        {
            _granted = New<QoS>();
        }

        var refused = results.Where(result => !result.IsGranted).ToList();
        if (refused.Count > 0)
        {
            Fail(_granted, Refusal(refused));
            return;
        }

        _granted.TrySetResult(results.Min(result => result.GrantedQoS!.Value));
    }
}
