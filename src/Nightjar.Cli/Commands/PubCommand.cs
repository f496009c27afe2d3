using Nightjar.Cli.CommandLine;
using Nightjar.Cli.Input;

namespace Nightjar.Cli.Commands;

/// <summary><c>nightjar pub</c>: publishes one message, or one for each line of standard input.</summary>
internal sealed class PubCommand(PubSettings settings, Invocation invocation, Diagnostics diagnostics)
{
    // Of lines, read ahead of the broker's answers: enough to fill any line and any Receive Maximum in use, and a bound to memory.
    private const int MaximumPending = 4096;
    private const int MaximumPendingBytes = 16 * 1024 * 1024;

    private readonly Queue<(Task<PublishResult> Publish, int Size)> _pending = [];
    private int _pendingBytes;
    private int _code = ExitCode.Success;

    /// <summary>Publishes and returns the exit code. Throws what the client throws, and <see cref="UsageException"/>.</summary>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        // Before connecting: a file that cannot be read should not cost a connection.
        var payload = await ReadPayloadAsync(stop);
        if (settings.Store.Directory is not null)
        {
            return await new StoringPublisher(settings, invocation, diagnostics).RunAsync(payload, stop);
        }

        await using var client = ConnectedVerb.Create(settings, invocation, diagnostics);
        _ = ConnectedVerb.ReportAsync(client, settings, diagnostics);
        try
        {
            await client.ConnectAsync(stop);
            if (payload is { } bytes)
            {
                await PublishAsync(client, settings.ToMessage(bytes), stop);
            }
            else
            {
                await PublishLinesAsync(client, stop);
            }

            await client.FlushAsync(stop);
        }
        finally
        {
            await ConnectedVerb.DisconnectAsync(client, settings, invocation);
        }

        return _code;
    }

    // Null for lines, which come one by one.
    private async Task<ReadOnlyMemory<byte>?> ReadPayloadAsync(CancellationToken stop)
    {
        switch (settings.Source)
        {
            case MessageSource.Argument:
                return System.Text.Encoding.UTF8.GetBytes(settings.Text);
            case MessageSource.Empty:
                return ReadOnlyMemory<byte>.Empty;
            case MessageSource.InputLines:
                return null;
            case MessageSource.Input:
                return await WholeInput.ReadAsync(invocation.Input, MessageLimit.Payload, stop);
            default:
                try
                {
                    await using var file = new FileStream(settings.File, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                    return await WholeInput.ReadAsync(file, MessageLimit.Payload, stop);
                }
                catch (Exception error) when (error is IOException or UnauthorizedAccessException)
                {
                    throw new UsageException($"Unable to open file \"{settings.File}\": {error.Message}", error);
                }
        }
    }

    private async Task PublishAsync(MqttClient client, OutgoingMessage message, CancellationToken stop)
    {
        for (var count = 1; ; count++)
        {
            var result = await client.PublishAsync(message, stop);
            diagnostics.Debug($"Published to {message.Topic}, {message.Payload.Length} bytes: {result.ReasonCode}.");
            if (count == settings.Repeat)
            {
                return;
            }

            await Task.Delay(settings.RepeatDelay, invocation.Clock, stop);
        }
    }

    private async Task PublishLinesAsync(MqttClient client, CancellationToken stop)
    {
        // A client that gave up ends the reading too: nobody may ever write the next line.
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(stop);
        _ = client.Completion.ContinueWith(_ => reading.Cancel(), TaskScheduler.Default);
        try
        {
            await foreach (var line in LineReader.ReadAsync(invocation.Input, MessageLimit.Payload, reading.Token))
            {
                while (_pending.Count == MaximumPending || (_pending.Count > 0 && _pendingBytes + line.Length > MaximumPendingBytes))
                {
                    await AwaitOldestAsync();
                }

                _pending.Enqueue((client.PublishAsync(settings.ToMessage(line), stop).AsTask(), line.Length));
                _pendingBytes += line.Length;
                while (_pending.TryPeek(out var oldest) && oldest.Publish.IsCompleted)
                {
                    await AwaitOldestAsync();
                }
            }

            while (_pending.Count > 0)
            {
                await AwaitOldestAsync();
            }
        }
        catch (OperationCanceledException) when (client.Completion.IsFaulted)
        {
            await client.Completion;
        }
    }

    private async ValueTask AwaitOldestAsync()
    {
        var (publish, size) = _pending.Dequeue();
        _pendingBytes -= size;
        try
        {
            await publish;
        }
        catch (Exception error) when (error is MqttRefusedException or MqttLimitException)
        {
            // The lines after it may be welcome; the exit code remembers.
            diagnostics.Warning($"Publish failed: {error.Message}");
            _code = ExitCode.Refused;
        }
    }
}
