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
        _ = ConnectedVerb.ReportAsync(client, _settings, _diagnostics);

        // Before connecting: a resumed session delivers as soon as there is a connection.
        var options = _settings.ToSubscribeOptions();
        var subscriptions = _settings.Filters.DistinctBy(filter => filter.Text).Select(filter => (Filter: filter, Subscription: client.Subscribe(filter.Text, options))).ToList();
        try
        {
            await client.ConnectAsync(stop);
            return await ListenAsync(client, subscriptions, stop);
        }
        finally
        {
            // A session that is to live on keeps what it subscribed to; another ends with the connection, and is tidied up on Ctrl-C only.
            var tidy = stop.IsCancellationRequested && _settings.CleanSession;
            await ConnectedVerb.DisconnectAsync(client, _settings, _invocation, tidy ? subscriptions.Select(subscription => subscription.Subscription) : null);
        }
    }

    private async Task<int> ListenAsync(MqttClient client, List<(TopicFilter Filter, Subscription Subscription)> subscriptions, CancellationToken stop)
    {
        using var timeout = _settings.Timeout is { } time ? new CancellationTokenSource(time, _invocation.Clock) : new CancellationTokenSource();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop, timeout.Token);
        try
        {
            var answering = AnswersAsync(client, subscriptions, ending.Token);
            var printing = PrintAsync(client, new MergedMessages(subscriptions, ending.Token), ending.Token);
            if (await Task.WhenAny(answering, printing) == answering && await answering is { } code)
            {
                return code;
            }

            if (await printing)
            {
                return ExitCode.Success;
            }

            // Every subscription has ended: refused, now or after a reconnect, unless -U took it away.
            if (subscriptions.Exists(subscription => !_settings.Unsubscribe.Contains(subscription.Filter)))
            {
                return await answering ?? RefusedLater();
            }

            // Like mosquitto_sub, stay until -W or a signal.
            await Task.Delay(Timeout.InfiniteTimeSpan, _invocation.Clock, ending.Token);
            return ExitCode.Success;
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

    private int RefusedLater()
    {
        _diagnostics.Error("The broker refused all subscriptions when the connection was made again.");
        return ExitCode.Refused;
    }

    // Null: go on listening.
    private async Task<int?> AnswersAsync(MqttClient client, List<(TopicFilter Filter, Subscription Subscription)> subscriptions, CancellationToken cancellationToken)
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
            _diagnostics.Debug($"Unsubscribed from {filter.Text}.");
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
