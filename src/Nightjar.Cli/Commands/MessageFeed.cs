using System.Threading.Channels;

namespace Nightjar.Cli.Commands;

/// <summary>
/// Several subscriptions as one sequence, one message at a time: asking for the next acknowledges the one before. A message that several
/// filters match comes once, from the first of them. One reader.
/// </summary>
internal sealed class MessageFeed(IReadOnlyList<Subscription> subscriptions)
{
    private readonly Channel<Arrival> _arrivals = Channel.CreateUnbounded<Arrival>();
    private Arrival? _current;
    private bool _started;

    /// <summary>The next message. Waits for ever if no subscription lives.</summary>
    public async ValueTask<MqttMessage> NextAsync(CancellationToken cancellationToken)
    {
        if (!_started)
        {
            _started = true;
            foreach (var subscription in subscriptions)
            {
                _ = PumpAsync(subscription, cancellationToken);
            }
        }

        _current?.Done.SetResult();
        _current = null;
        _current = await _arrivals.Reader.ReadAsync(cancellationToken);
        return _current.Message;
    }

    /// <summary>Acknowledges the message that <see cref="NextAsync"/> returned last.</summary>
    public ValueTask AcknowledgeAsync() => _current?.Subscription.AcknowledgeAsync() ?? ValueTask.CompletedTask;

    private async Task PumpAsync(Subscription subscription, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var message in subscription.WithCancellation(cancellationToken))
            {
                var arrival = new Arrival(message, subscription);
                _arrivals.Writer.TryWrite(arrival);
                await arrival.Done.Task.WaitAsync(cancellationToken);
            }
        }
        catch (Exception error) when (error is MqttRefusedException or MqttLimitException or OperationCanceledException)
        {
            // Denied, which whoever awaits Granted reports; or the end.
        }
    }

    private sealed record Arrival(MqttMessage Message, Subscription Subscription)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
