using Nightjar.Cli.CommandLine;

namespace Nightjar.Cli.Commands;

/// <summary>What a verb with a store does that ends once all is delivered: opening it, emptying it, giving up in time.</summary>
internal static class StoreDelivery
{
    private static readonly TimeSpan LockRetry = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Opens the store, and sees to it that nothing is taken that the session receives. A store that another process has open is waited for, since the usual reason is another run of the same script. Throws <see cref="StorageException"/>.
    /// </summary>
    public static async Task OpenAsync(MqttClient client, ConnectionSettings settings, Invocation invocation, CancellationToken stop)
    {
        // Whose session it is may have subscribed: what the broker sends for that is not ours to take. Unanswered, it comes again to whom it belongs.
        var never = new TaskCompletionSource();
        client.OnUnrouted(_ => new ValueTask(never.Task));

        var began = invocation.Clock.GetTimestamp();
        while (true)
        {
            try
            {
                await client.OpenAsync(stop);
                return;
            }
            catch (StorageException error) when (error.Kind == StorageFailureKind.InUse && invocation.Clock.GetElapsedTime(began) < settings.DeliveryTimeout)
            {
                await Task.Delay(LockRetry, invocation.Clock, stop);
            }
        }
    }

    /// <summary>Connects and waits until everything is delivered. False: not in time. Throws what the client throws, if trying again would not help.</summary>
    public static async Task<bool> TryDrainAsync(MqttClient client, ConnectionSettings settings, Invocation invocation, CancellationToken stop)
    {
        using var patience = new CancellationTokenSource(settings.DeliveryTimeout, invocation.Clock);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop, patience.Token);
        try
        {
            await client.ConnectAsync(ending.Token);
            await client.DrainAsync(ending.Token);
            return true;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }
        catch (MqttException error) when (error.IsTransient)
        {
            return false;
        }
    }

    /// <summary>Says in a warning what is left, as the store itself tells it: a client that gave up has let go of it.</summary>
    public static async Task ReportRestAsync(ConnectionSettings settings, Diagnostics diagnostics)
    {
        var session = await StoredSession.ReadAsync(settings.Store.Open());
        var left = session.Outgoing.Count;
        diagnostics.Warning($"{(left == 1 ? "1 message is" : $"{left} messages are")} stored in {settings.Store.Directory} and not delivered; the next run does it, or \"nightjar session drain {settings.Store.Directory}\".");
    }
}
