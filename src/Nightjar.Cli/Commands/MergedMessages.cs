using System.Threading.Channels;
using Nightjar.Protocol.Topics;

namespace Nightjar.Cli.Commands;

/// <summary>
/// Several subscriptions as one sequence, one message at a time: asking for the next acknowledges the one before. A message that several
/// filters match comes once, from the first of them that the broker did not refuse. One reader.
/// </summary>
internal sealed class MergedMessages
{
    private readonly IReadOnlyList<(TopicFilter Filter, Subscription Subscription)> _subscriptions;
    private readonly IAsyncEnumerator<MqttMessage>? _only;
    private readonly Channel<Arrival> _arrivals = Channel.CreateUnbounded<Arrival>();
    private readonly CancellationToken _cancellation;
    private Arrival? _current;
    private int _pumps;

    /// <param name="cancellationToken">Ends the reading; what was not acknowledged stays so.</param>
    public MergedMessages(IReadOnlyList<(TopicFilter Filter, Subscription Subscription)> subscriptions, CancellationToken cancellationToken)
    {
        _subscriptions = subscriptions;
        _cancellation = cancellationToken;
        if (subscriptions is [var (_, single)])
        {
            _only = single.GetAsyncEnumerator(cancellationToken);
            return;
        }

        _pumps = subscriptions.Count;
        for (var index = 0; index < subscriptions.Count; index++)
        {
            _ = PumpAsync(index);
        }
    }

    /// <summary>The next message; null: none will come, every subscription has ended.</summary>
    public async ValueTask<MqttMessage?> NextAsync()
    {
        if (_only is not null)
        {
            try
            {
                return await _only.MoveNextAsync() ? _only.Current : null;
            }
            catch (MqttRefusedException)
            {
                return null;
            }
        }

        _current?.Done.SetResult();
        _current = null;
        if (!await _arrivals.Reader.WaitToReadAsync(_cancellation) || !_arrivals.Reader.TryRead(out _current))
        {
            return null;
        }

        return _current.Message;
    }

    /// <summary>Acknowledges the message that <see cref="NextAsync"/> returned last.</summary>
    public ValueTask AcknowledgeAsync() => (_current?.Subscription ?? _subscriptions[0].Subscription).AcknowledgeAsync();

    private async Task PumpAsync(int index)
    {
        var (_, subscription) = _subscriptions[index];
        try
        {
            await foreach (var message in subscription.WithCancellation(_cancellation))
            {
                if (IsFirst(index, message.Topic))
                {
                    var arrival = new Arrival(message, subscription);
                    _arrivals.Writer.TryWrite(arrival);
                    await arrival.Done.Task.WaitAsync(_cancellation);
                }
            }
        }
        catch (Exception error) when (error is MqttRefusedException or OperationCanceledException)
        {
            // Refused, which whoever awaits Granted reports; or the end.
        }

        if (Interlocked.Decrement(ref _pumps) == 0)
        {
            _arrivals.Writer.Complete();
        }
    }

    // The client hands a message to every subscription that matches it; here it is one message, as it was one packet.
    private bool IsFirst(int index, string topic) =>
        !_subscriptions.Take(index).Any(earlier => earlier.Filter.Matches(topic) && !earlier.Subscription.Granted.IsFaulted);

    private sealed record Arrival(MqttMessage Message, Subscription Subscription)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
