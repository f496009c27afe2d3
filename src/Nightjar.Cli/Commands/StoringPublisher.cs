using Nightjar.Cli.CommandLine;
using Nightjar.Cli.Input;

namespace Nightjar.Cli.Commands;

/// <summary><c>nightjar pub --store</c>: every message is stored before anything else; then this run delivers it, with what earlier runs left, or leaves it to the next.</summary>
internal sealed class StoringPublisher(PubSettings settings, Invocation invocation, Diagnostics diagnostics)
{
    // Of lines, read ahead of the store.
    private const int MaximumPending = 4096;

    private readonly Queue<Task<DeliveryReceipt>> _pending = [];
    private readonly Queue<Task> _following = [];
    private int _refused;

    /// <summary>Publishes and returns the exit code. Throws what the client throws, and <see cref="UsageException"/>.</summary>
    /// <param name="payload">The message; null: each line of the input is one.</param>
    /// <param name="stop">Ends it; what is stored stays.</param>
    public async Task<int> RunAsync(ReadOnlyMemory<byte>? payload, CancellationToken stop)
    {
        await using var client = ConnectedVerb.Create(settings, invocation, diagnostics, delivers: true);
        _ = ConnectedVerb.ReportAsync(client, settings, diagnostics);
        await StoreDelivery.OpenAsync(client, settings, invocation, stop);
        if (!await TryStoreAllAsync(client, payload, stop))
        {
            return ExitCode.Usage;
        }

        var delivered = false;
        try
        {
            delivered = await StoreDelivery.TryDrainAsync(client, settings, invocation, stop);
            await Task.WhenAll(delivered ? _following : []);
        }
        catch (MqttException error)
        {
            diagnostics.Error(FlagWords.Translate(error.Message));
        }
        finally
        {
            await ConnectedVerb.DisconnectAsync(client, settings, invocation);
            if (!delivered)
            {
                await StoreDelivery.ReportRestAsync(settings, diagnostics);
            }
        }

        return !delivered ? ExitCode.Stored : _refused > 0 ? ExitCode.Refused : ExitCode.Success;
    }

    private async Task<bool> TryStoreAllAsync(MqttClient client, ReadOnlyMemory<byte>? payload, CancellationToken stop)
    {
        try
        {
            if (payload is { } bytes)
            {
                await StoreAsync(client, settings.ToMessage(bytes), stop);
            }
            else
            {
                await StoreLinesAsync(client, stop);
            }

            return true;
        }
        catch (TimeoutException)
        {
            var reason = client.Status.Storage?.Error?.Message ?? "the store is full, and nothing can be delivered to make room";
            diagnostics.Error($"Not everything could be stored: {reason}");
            return false;
        }
    }

    private async Task StoreAsync(MqttClient client, OutgoingMessage message, CancellationToken stop)
    {
        for (var count = 1; ; count++)
        {
            Enqueue(client, message, stop);
            await AwaitOldestAsync();
            if (count == settings.Repeat)
            {
                return;
            }

            await Task.Delay(settings.RepeatDelay, invocation.Clock, stop);
        }
    }

    private async Task StoreLinesAsync(MqttClient client, CancellationToken stop)
    {
        await foreach (var line in LineReader.ReadAsync(invocation.Input, MessageLimit.Payload, stop))
        {
            Enqueue(client, settings.ToMessage(line), stop);
            while (_pending.Count == MaximumPending || (_pending.TryPeek(out var oldest) && oldest.IsCompleted))
            {
                await AwaitOldestAsync();
            }
        }

        while (_pending.Count > 0)
        {
            await AwaitOldestAsync();
        }
    }

    private void Enqueue(MqttClient client, OutgoingMessage message, CancellationToken stop) => _pending.Enqueue(client.EnqueueAsync(message, stop).AsTask());

    // A disk that is full, or an outbox that is: neither need ever end.
    private async Task AwaitOldestAsync()
    {
        var receipt = await _pending.Dequeue().WaitAsync(settings.DeliveryTimeout, invocation.Clock);
        _following.Enqueue(FollowAsync(receipt));
        while (_following.TryPeek(out var oldest) && oldest.IsCompleted)
        {
            await _following.Dequeue();
        }
    }

    private async Task FollowAsync(DeliveryReceipt receipt)
    {
        try
        {
            var result = await receipt.Acknowledged;
            diagnostics.Debug($"Published: {result.ReasonCode}.");
        }
        catch (Exception error) when (error is MqttRefusedException or MqttLimitException or MqttExpiredException or MqttDroppedException)
        {
            diagnostics.Warning($"Publish failed: {error.Message}");
            Interlocked.Increment(ref _refused);
        }
        catch (Exception error) when (error is MqttException or OperationCanceledException)
        {
            // It stays in the store.
        }
    }
}
