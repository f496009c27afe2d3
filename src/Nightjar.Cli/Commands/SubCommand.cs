using Nightjar.Cli.CommandLine;
using Nightjar.Cli.Output;
using Nightjar.Protocol.Topics;

namespace Nightjar.Cli.Commands;

/// <summary><c>nightjar sub</c>: subscribes and prints what comes, until it has enough.</summary>
internal sealed class SubCommand
{
    // Removals on their way at once: more would only wait in memory.
    private const int MaximumRemovals = 100;

    private readonly SubSettings _settings;
    private readonly Invocation _invocation;
    private readonly Diagnostics _diagnostics;
    private readonly MessagePrinter _printer;
    private readonly Queue<Task> _removals = [];
    private int _count;

    public SubCommand(SubSettings settings, Invocation invocation, Diagnostics diagnostics)
    {
        _settings = settings;
        _invocation = invocation;
        _diagnostics = diagnostics;
        _printer = new MessagePrinter(
            settings.ToPrintOptions(invocation),
            invocation.Output,
            invocation.Clock,
            topic => diagnostics.Error($"Message payload is not valid JSON on topic {topic}."));
    }

    /// <summary>Prints and returns the exit code. Throws what the client throws, and <see cref="OutputClosedException"/>.</summary>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        await using var client = ConnectedVerb.Create(_settings, _invocation, _diagnostics);
        _ = ConnectedVerb.ReportAsync(client, _diagnostics);

        // Before connecting: a resumed session delivers as soon as there is a connection.
        var options = _settings.ToSubscribeOptions();
        var subscriptions = _settings.Filters.DistinctBy(filter => filter.Text).Select(filter => (filter, client.Subscribe(filter.Text, options))).ToList();
        await client.ConnectAsync(stop);
        try
        {
            return await ListenAsync(client, subscriptions, stop);
        }
        finally
        {
            if (stop.IsCancellationRequested && _settings.CleanSession)
            {
                await Task.WhenAll(subscriptions.Select(subscription => subscription.Item2.DisposeAsync().AsTask()));
            }

            await ConnectedVerb.DisconnectAsync(client, _settings, _invocation);
        }
    }

    private async Task<int> ListenAsync(MqttClient client, List<(TopicFilter, Subscription Subscription)> subscriptions, CancellationToken stop)
    {
        using var timeout = _settings.Timeout is { } time ? new CancellationTokenSource(time, _invocation.Clock) : new CancellationTokenSource();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop, timeout.Token);
        try
        {
            var answering = AnswersAsync(client, subscriptions, ending.Token);
            var messages = new MergedMessages(subscriptions, ending.Token);
            var printing = PrintAsync(client, messages, ending.Token);
            if (await Task.WhenAny(answering, printing) == answering && await answering is { } code)
            {
                return code;
            }

            if (!await printing && !messages.Refused)
            {
                // -U took the subscriptions away: like mosquitto_sub, stay until -W or a signal.
                await Task.Delay(Timeout.InfiniteTimeSpan, _invocation.Clock, ending.Token);
            }

            return messages.Refused ? await answering ?? ExitCode.Refused : ExitCode.Success;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            _diagnostics.Error("Timed out");
            return ExitCode.TimedOut;
        }
        finally
        {
            await ending.CancelAsync();
        }
    }

    // Null: go on listening.
    private async Task<int?> AnswersAsync(MqttClient client, List<(TopicFilter, Subscription Subscription)> subscriptions, CancellationToken cancellationToken)
    {
        var denied = 0;
        foreach (var (_, subscription) in subscriptions)
        {
            try
            {
                await subscription.Granted.WaitAsync(cancellationToken);
            }
            catch (Exception error) when (error is MqttRefusedException or MqttLimitException)
            {
                denied++;
                _diagnostics.Warning($"The subscription to {subscription.Filter} was refused: {error.Message}");
            }
        }

        if (denied == subscriptions.Count)
        {
            _diagnostics.Error("All subscription requests were denied.");
            return ExitCode.Refused;
        }

        foreach (var filter in _settings.Unsubscribe)
        {
            await client.UnsubscribeAsync(filter.Text, cancellationToken);
        }

        return _settings.ExitAfterSubscribing ? ExitCode.Success : null;
    }

    // True: enough was printed. False: no more will come.
    private async Task<bool> PrintAsync(MqttClient client, MergedMessages messages, CancellationToken cancellationToken)
    {
        while (true)
        {
            var next = messages.NextAsync();
            if (!next.IsCompleted)
            {
                _printer.Flush();
            }

            if (await next is not { } message)
            {
                return false;
            }

            var enough = Handle(client, message);
            if (enough || message.QoS > QoS.AtMostOnce)
            {
                // What is acknowledged must have left this process.
                _printer.Flush();
            }

            if (enough)
            {
                await messages.AcknowledgeAsync();
                await Task.WhenAll(_removals).WaitAsync(cancellationToken);
                return true;
            }

            if (_removals.Count == MaximumRemovals)
            {
                await _removals.Dequeue().WaitAsync(cancellationToken);
            }
        }
    }

    // In the order of mosquitto_sub: what is filtered out does not count.
    private bool Handle(MqttClient client, MqttMessage message)
    {
        if (_settings.RetainedOnly && !message.Retain)
        {
            return true;
        }

        if (_settings.FiltersOut(message.Topic))
        {
            return false;
        }

        if (_settings.RemoveRetained && message.Retain)
        {
            _removals.Enqueue(client.PublishAsync(message.Topic, ReadOnlyMemory<byte>.Empty, QoS.AtLeastOnce, retain: true).AsTask());
        }

        if (_settings.NoRetained && message.Retain)
        {
            return false;
        }

        if (_settings.RandomFilter >= 100 || _invocation.Random.NextDouble() * 100 < _settings.RandomFilter)
        {
            _printer.Print(message);
        }

        return ++_count == _settings.Count;
    }
}
