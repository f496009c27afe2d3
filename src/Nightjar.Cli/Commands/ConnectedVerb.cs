using Nightjar.Cli.CommandLine;

namespace Nightjar.Cli.Commands;

/// <summary>What <c>pub</c> and <c>sub</c> do alike: reading flags, making the client, saying what happens to it, ending it.</summary>
internal static class ConnectedVerb
{
    // DISCONNECT is a courtesy: a broker that takes no bytes any more must not keep the shell waiting.
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    /// <summary>A client as the settings ask for it; with <paramref name="delivers"/> one that empties its store and ends. Throws <see cref="UsageException"/> for options that conflict.</summary>
    public static MqttClient Create(ConnectionSettings settings, Invocation invocation, Diagnostics diagnostics, bool delivers = false)
    {
        var options = delivers ? settings.ToDeliveryOptions(invocation) : settings.ToClientOptions(invocation);
        if (settings.ExposesPassword(options.Servers[0]))
        {
            diagnostics.Warning($"the password goes to {settings.Host} unencrypted, where others can read it; consider TLS: --tls-use-os-certs, --cafile, or -L mqtts://...");
        }

        try
        {
            return new MqttClient(options);
        }
        catch (ArgumentException error)
        {
            // The parameter that .NET names after the text means nothing on a command line.
            throw new UsageException(error.Message.Split(" (Parameter ")[0], error);
        }
    }

    /// <summary>Says on standard error what happens to the connection, until the client is closed; what ends the verb, the verb reports.</summary>
    public static async Task ReportAsync(MqttClient client, ConnectionSettings settings, Diagnostics diagnostics)
    {
        await foreach (var happened in client.Events)
        {
            switch (happened)
            {
                case ClientEvent.Connected { Result: var result }:
                    diagnostics.Debug($"Connected as {result.ClientId}, {Name(result.Version)}, {(result.SessionPresent ? "session resumed" : "new session")}.");
                    break;
                case ClientEvent.Disconnected { Error: { } error } when settings.Reconnects:
                    diagnostics.Warning(error.Message);
                    break;
                case ClientEvent.ConnectFailed { NextAttemptIn: { } delay, Error: var error }:
                    diagnostics.Warning($"{error.Message} Next attempt in {delay.TotalSeconds:0.#} s.");
                    break;
                case ClientEvent.SubscriptionAnswered answer:
                    diagnostics.Debug($"Subscription to {answer.Filter}: {(answer.ReasonCode.IsFailure() ? answer.ReasonCode : $"QoS {(int)answer.ReasonCode}")}.");
                    break;
                case ClientEvent.MessagesDropped dropped:
                    diagnostics.Warning($"{dropped.Count} messages of {dropped.Filter} were dropped: the output is too slow.");
                    break;
                case ClientEvent.PublishesDropped dropped:
                    diagnostics.Warning($"{dropped.Count} messages of QoS 0 went down with the connection.");
                    break;
                case ClientEvent.Unrouted unrouted:
                    diagnostics.Warning($"A message for {unrouted.Topic} came that no -t of this run matches; it was dropped.");
                    break;
                case ClientEvent.MessageDropped dropped:
                    diagnostics.Warning($"A message for {dropped.Topic} was given up: {dropped.Reason}.");
                    break;
                case ClientEvent.SessionRestored { DamagedStretches: > 0 } restored:
                    diagnostics.Warning($"The store is damaged in {restored.DamagedStretches} places; \"nightjar session verify {settings.Store.Directory}\" says where, and what is lost.");
                    break;
                case ClientEvent.StorageFailed failed when client.Status.Storage is { IsOpen: true }:
                    diagnostics.Warning(failed.Error.Message);
                    break;
                case ClientEvent.Quarantined kept:
                    diagnostics.Warning($"A message for {kept.Topic} cannot be sent: {kept.Reason}");
                    break;
            }
        }
    }

    /// <summary>Ends subscriptions, then the connection, if there is one. Never throws for what the network does.</summary>
    public static async Task DisconnectAsync(
        MqttClient client, ConnectionSettings settings, Invocation invocation, IEnumerable<Subscription>? unsubscribe = null)
    {
        using var patience = new CancellationTokenSource(Farewell, invocation.Clock);
        try
        {
            await Task.WhenAll((unsubscribe ?? []).Select(subscription => subscription.DisposeAsync().AsTask())).WaitAsync(patience.Token);
            await client.DisconnectAsync(settings.ToDisconnectOptions(), patience.Token);
        }
        catch (Exception error) when (error is MqttException or OperationCanceledException)
        {
            // It is gone, which was the aim.
        }
    }

    private static string Name(MqttVersion version) => version switch
    {
        MqttVersion.Mqtt31 => "MQTT 3.1",
        MqttVersion.Mqtt311 => "MQTT 3.1.1",
        _ => "MQTT 5.0",
    };
}
