using Nightjar.Testing;

namespace Nightjar.Tests.Outbox;

/// <summary>A broker that nobody reaches until it is opened.</summary>
internal sealed class GatedBroker : IAsyncDisposable
{
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public MqttTestBroker Broker { get; } = InMemory.Broker();

    public IEnumerable<string> Published => Broker.Published.Select(message => message.Text);

    public MqttClientOptions Options(Action<OutboxOptions>? configure = null, TimeProvider? time = null)
    {
        var options = new MqttClientOptions
        {
            Servers =
            {
                MqttServer.FromStream("peer", async cancellationToken =>
                {
                    await _open.Task.WaitAsync(cancellationToken);
                    return Broker.ConnectInMemory();
                }),
            },
            Reconnect = new ReconnectOptions { FirstConnect = FirstConnect.KeepTrying, MinimumDelay = TimeSpan.FromMilliseconds(1), MaximumDelay = TimeSpan.FromMilliseconds(10) },
            TimeProvider = time ?? TimeProvider.System,
            DrainTimeout = TimeSpan.Zero,
        };
        configure?.Invoke(options.Outbox);
        return options;
    }

    public void Open() => _open.TrySetResult();

    public ValueTask DisposeAsync()
    {
        Open();
        return Broker.DisposeAsync();
    }
}
