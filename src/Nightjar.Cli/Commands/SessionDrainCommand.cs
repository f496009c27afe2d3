using Nightjar.Cli.CommandLine;

namespace Nightjar.Cli.Commands;

/// <summary><c>nightjar session drain</c>: delivers what a store holds.</summary>
internal sealed class SessionDrainCommand(SessionDrainSettings settings, Invocation invocation, Diagnostics diagnostics)
{
    private static readonly TimeSpan Progress = TimeSpan.FromSeconds(1);

    private int _givenUp;

    /// <summary>Delivers and returns the exit code. Throws what the client throws.</summary>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        // Also because a directory that is none must not become one here.
        settings.Complete(await StoredSession.ReadAsync(settings.Store.Open(), stop));

        await using var client = ConnectedVerb.Create(settings, invocation, diagnostics, delivers: true);
        _ = ConnectedVerb.ReportAsync(client, settings, diagnostics);
        _ = CountAsync(client);
        await StoreDelivery.OpenAsync(client, settings, invocation, stop);
        var messages = client.Statistics.PendingMessages;
        if (messages == 0)
        {
            Say("Nothing waits to be delivered.");
            return ExitCode.Success;
        }

        Say($"{messages} to deliver.");
        using var draining = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var isDone = false;
        var progress = ReportProgressAsync(client, messages, draining.Token);
        try
        {
            isDone = await StoreDelivery.TryDrainAsync(client, settings, invocation, stop);
        }
        finally
        {
            await draining.CancelAsync();
            await progress;
            await ConnectedVerb.DisconnectAsync(client, settings, invocation);
            if (!isDone)
            {
                await StoreDelivery.ReportRestAsync(settings, diagnostics);
            }
        }

        if (!isDone)
        {
            return ExitCode.Stored;
        }

        Say($"{messages - _givenUp} delivered.");
        return _givenUp > 0 ? ExitCode.Refused : ExitCode.Success;
    }

    private async Task CountAsync(MqttClient client)
    {
        await foreach (var happened in client.Events)
        {
            _givenUp += happened is ClientEvent.MessageDropped ? 1 : 0;
        }
    }

    private async Task ReportProgressAsync(MqttClient client, int messages, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Progress, invocation.Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                Say($"{messages - client.Statistics.PendingMessages} of {messages} delivered.");
            }
        }
        catch (OperationCanceledException)
        {
            // That was all.
        }
    }

    private void Say(string text)
    {
        if (!settings.Quiet)
        {
            diagnostics.Plain(text);
        }
    }
}
