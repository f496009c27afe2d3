using System.Collections.Concurrent;
using System.Globalization;
using Nightjar.Testing;

namespace Nightjar.Tests.Stress;

/// <summary>
/// One seeded run of the whole client over streams in memory: several tasks publish, subscribe, cancel and flush while connections are cut at random bytes. The seed decides
/// what is done; what comes first is the scheduler's choice, so a run is hard on races and not repeatable to the byte.
/// </summary>
internal sealed class StressRun : IAsyncDisposable
{
    private const int Publishers = 4;
    private const int OperationsPerPublisher = 60;
    private const int InboundMessages = 120;
    private const int OperationsPerCut = 25;

    private readonly int _seed;
    private readonly Random _random;
    private readonly FaultyNetwork _network;
    private readonly ConcurrentQueue<Attempt> _attempts = new();
    private readonly ConcurrentDictionary<string, int> _handled = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _order = new();
    private readonly TaskCompletionSource _allHandled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _operations;
    private int _reliableInbound = -1;
    private int _distinctReliable;

    public StressRun(int seed, MqttVersion version)
    {
        _seed = seed;
        _random = new Random(seed);
        _network = new FaultyNetwork(seed);
        Broker = InMemory.Broker();
        if (_random.Next(3) == 0)
        {
            _network.ToServer.RandomPieces = _network.ToClient.RandomPieces = true;
            _network.ToServer.MaximumPiece = _network.ToClient.MaximumPiece = 40;
        }

        var options = InMemory.Options(() => _network.Wrap(Broker.ConnectInMemory()));
        options.Version = version;
        options.ClientId = "stress";
        options.Session.CleanStart = false;
        options.Reconnect.FirstConnect = FirstConnect.KeepTrying;
        options.Outbox.MaximumInFlight = _random.Next(1, 30);
        options.Receive.ReceiveMaximum = _random.Next(2, 30);
        Client = new MqttClient(options);
    }

    public MqttTestBroker Broker { get; }

    public MqttClient Client { get; }

    public int Connections => _network.Connections;

    /// <summary>What was published and how it ended.</summary>
    public IEnumerable<Attempt> Attempts => _attempts;

    /// <summary>How often the handler of each received message ended well.</summary>
    public IReadOnlyDictionary<string, int> Handled => _handled;

    /// <summary>Received messages in the order in which their handlers ended.</summary>
    public IEnumerable<string> HandledInOrder => _order;

    /// <summary>Everything that was begun has ended, one way or the other.</summary>
    public async Task PlayAsync()
    {
        var subscription = Client.On("in/#", HandleAsync, new SubscribeOptions { QoS = QoS.ExactlyOnce });
        await subscription.Granted.Soon();
        var tasks = Enumerable.Range(0, Publishers).Select(i => Task.Run(() => PublishAsync(i, new Random(_seed + i)))).Append(Task.Run(PublishToClientAsync));
        await Task.WhenAll(tasks).Soon();
        await _allHandled.Task.Soon();
    }

    /// <summary>The same, and in the middle of it the client goes: nothing may hang, nothing may end twice.</summary>
    public async Task PlayUntilDisposedAsync()
    {
        var subscription = Client.On("in/#", HandleAsync, new SubscribeOptions { QoS = QoS.ExactlyOnce });
        await subscription.Granted.Soon();
        var half = Publishers * OperationsPerPublisher / 2;
        var tasks = Enumerable.Range(0, Publishers).Select(i => Task.Run(() => PublishAsync(i, new Random(_seed + i), half))).ToList();
        await Task.WhenAll(tasks).Soon();
        await subscription.Completion.ContinueWith(_ => { }, TaskScheduler.Default).Soon();
        await Client.Completion.Soon();
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync().Soon();
        await Broker.DisposeAsync();
        await _network.DisposeAsync();
    }

    private async Task PublishAsync(int publisher, Random random, int disposeAfter = int.MaxValue)
    {
        var begun = new List<Task>();
        for (var i = 0; i < OperationsPerPublisher; i++)
        {
            var operation = Interlocked.Increment(ref _operations);
            if (operation % OperationsPerCut == 0)
            {
                Cut(random);
            }

            if (operation == disposeAfter)
            {
                begun.Add(Client.DisposeAsync().AsTask());
            }

            switch (random.Next(20))
            {
                case 0:
                    begun.Add(TolerateAsync(SubscribeForAWhileAsync($"extra/{publisher}/{i}")));
                    break;
                case 1:
                    begun.Add(TolerateAsync(Client.FlushAsync().AsTask()));
                    break;
                default:
                    begun.Add(AttemptAsync(publisher, i, (QoS)random.Next(3), cancels: random.Next(10) == 0));
                    break;
            }

            // So that operations and cuts spread over many connections.
            if (random.Next(6) == 0)
            {
                await begun[^1].Soon();
            }
        }

        await Task.WhenAll(begun).Soon();
    }

    private async Task AttemptAsync(int publisher, int number, QoS qos, bool cancels)
    {
        using var cancellation = new CancellationTokenSource();
        var attempt = new Attempt($"out/{publisher}/{(int)qos}", number, qos);
        _attempts.Enqueue(attempt);
        try
        {
            var publish = Client.PublishAsync(attempt.Topic, number.ToString(CultureInfo.InvariantCulture), qos, cancellationToken: cancellation.Token);
            if (cancels)
            {
                await cancellation.CancelAsync();
            }

            attempt.Result = await publish;
        }
        catch (Exception error) when (error is OperationCanceledException or MqttException or ObjectDisposedException)
        {
            attempt.Error = error;
        }
    }

    private async Task SubscribeForAWhileAsync(string filter)
    {
        var subscription = Client.Subscribe(filter);
        await subscription.Granted;
        await subscription.DisposeAsync();
    }

    /// <summary>A lost connection may end a flush; a disposed client ends everything.</summary>
    private static async Task TolerateAsync(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception error) when (error is MqttException or ObjectDisposedException or OperationCanceledException)
        {
        }
    }

    private async Task PublishToClientAsync()
    {
        var random = new Random(~_seed);
        var reliable = 0;
        for (var i = 0; i < InboundMessages; i++)
        {
            var qos = (QoS)random.Next(3);
            reliable += qos == QoS.AtMostOnce ? 0 : 1;
            await Broker.PublishAsync($"in/{(int)qos}", i.ToString(CultureInfo.InvariantCulture), qos);
        }

        Volatile.Write(ref _reliableInbound, reliable);
        EndWhenAllAreHandled();
    }

    private async ValueTask HandleAsync(MqttMessage message)
    {
        if (_handled.Count % 7 == 3)
        {
            await Task.Yield();
        }

        var key = $"{message.Topic} {message.Text}";
        _order.Enqueue(key);
        if (_handled.AddOrUpdate(key, 1, (_, count) => count + 1) == 1 && message.QoS != QoS.AtMostOnce)
        {
            Interlocked.Increment(ref _distinctReliable);
        }

        EndWhenAllAreHandled();
    }

    private void EndWhenAllAreHandled()
    {
        if (Volatile.Read(ref _distinctReliable) == Volatile.Read(ref _reliableInbound))
        {
            _allHandled.TrySetResult();
        }
    }

    private void Cut(Random random)
    {
        switch (random.Next(3))
        {
            case 0:
                _network.ToServer.CutAfter(random.Next(4_000));
                break;
            case 1:
                _network.ToClient.CutAfter(random.Next(4_000));
                break;
            default:
                Broker.DropConnections();
                break;
        }
    }

    /// <summary>One publish.</summary>
    internal sealed record Attempt(string Topic, int Number, QoS QoS)
    {
        public PublishResult? Result { get; set; }

        public Exception? Error { get; set; }
    }
}
