using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Topics;

namespace Nightjar.Subscriptions;

/// <summary>What the server said to the filters of one subscription, and who waits for it. Written under the host's lock, read from anywhere.</summary>
internal sealed class SubscriptionGrant
{
    private readonly IReadOnlyList<TopicFilter> _filters;
    private readonly SubscribeResult?[] _answers;
    private readonly Announcement<QoS> _granted = new();
    private readonly Announcement<IReadOnlyList<SubscribeResult>> _results = new();
    private TaskCompletionSource<bool>? _next;

    /// <param name="filters">What the server is asked for; of none, all are granted.</param>
    /// <param name="qos">What it is asked for.</param>
    public SubscriptionGrant(IReadOnlyList<TopicFilter> filters, QoS qos)
    {
        _filters = filters;
        _answers = new SubscribeResult?[filters.Count];
        if (filters.Count == 0)
        {
            _granted.Set(qos);
            _results.Set([]);
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
        _granted.Interrupt(error);
        _results.Interrupt(error);
    }

    /// <summary>There will be no answer any more.</summary>
    public void End(Exception error)
    {
        FailNext(error);
        _granted.End(error);
        _results.End(error);
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
        _results.Set(results);
        var refused = results.Where(result => !result.IsGranted).ToList();
        if (refused.Count > 0)
        {
            _granted.Refuse(Refusal(refused));
        }
        else
        {
            _granted.Set(results.Min(result => result.GrantedQoS!.Value));
        }
    }

    /// <summary>One that may be given anew, and whose interruption somebody hears, however late the first looks.</summary>
    private sealed class Announcement<T>
    {
        private readonly Lock _lock = new();
        private TaskCompletionSource<T> _source = New<T>();
        private bool _asked;
        private bool _unheard;

        /// <summary>The answer; after an interruption that nobody could hear that one, once.</summary>
        public Task<T> Task
        {
            get
            {
                lock (_lock)
                {
                    var task = _source.Task;
                    _asked = !_unheard;
                    if (_unheard)
                    {
                        Renew();
                    }

                    return task;
                }
            }
        }

        public void Set(T result)
        {
            lock (_lock)
            {
                if (_source.Task.IsCompleted)
                {
                    Renew();
                }

                _source.TrySetResult(result);
            }
        }

        public void Refuse(Exception error)
        {
            lock (_lock)
            {
                if (_source.Task.IsCompleted)
                {
                    Renew();
                }

                Fail(_source, error);
            }
        }

        public void Interrupt(Exception error)
        {
            lock (_lock)
            {
                if (_source.Task.IsCompleted && !_unheard)
                {
                    return;
                }

                var wasAsked = _asked;
                if (_unheard)
                {
                    Renew();
                }

                Fail(_source, error);
                _unheard = !wasAsked;
                if (wasAsked)
                {
                    Renew();
                }
            }
        }

        public void End(Exception error)
        {
            lock (_lock)
            {
                if (_unheard)
                {
                    Renew();
                }

                Fail(_source, error);
            }
        }

        private void Renew()
        {
            _source = New<T>();
            _asked = _unheard = false;
        }
    }
}
