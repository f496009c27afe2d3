using Nightjar.Connection;
using Nightjar.Protocol.Session;

namespace Nightjar.Subscriptions;

/// <summary>
/// Calls a handler for several messages at once. Messages with the same key stay in order: those that come while one is being handled wait in its lane, and whoever handles it goes on with
/// them. The ledger sees to the order of acknowledgements.
/// </summary>
internal sealed class ConcurrentPump(EngineHost host, MessageFeed feed, MessageHandler handler)
{
    private readonly Lock _lock = new();
    private readonly MessageKey? _orderBy = feed.Options.OrderBy;
    private readonly MessageLease _keyLease = new();
    private readonly Dictionary<uint, Queue<ReceivedMessage>> _lanes = [];
    private readonly Stack<Queue<ReceivedMessage>> _spareLanes = new();
    private readonly Stack<Worker> _idle = new();
    private readonly int _most = feed.Options.MaxConcurrency;
    private int _workers;
    private TaskCompletionSource? _whenIdle;

    /// <summary>Runs on the pool: it calls no user code but the keys, which are told while it holds its own lock.</summary>
    public async Task RunAsync()
    {
        bool more;
        do
        {
            StartWorkers();
            await WhenWorkersLackMessages().ConfigureAwait(false);
            ValueTask<bool> waiting;
            lock (_lock)
            {
                // The workers read this queue too; nothing else waits at it.
                waiting = feed.Queue.WaitAsync();
            }

            more = await waiting.ConfigureAwait(false);
        }
        while (more && !feed.IsClosed);

        await WhenAllIdle().ConfigureAwait(false);
        feed.StopConsuming();
    }

    private void StartWorkers()
    {
        while (true)
        {
            Worker? worker;
            lock (_lock)
            {
                if ((_idle.Count == 0 && _workers == _most) || !TryTake(out var message, out var lane))
                {
                    return;
                }

                if (!_idle.TryPop(out worker))
                {
                    _workers++;
                    worker = new Worker(this, host, feed, _workers == 1 ? handler : handler.Another());
                }

                worker.Give(message, lane);
            }

            try
            {
                host.Handlers.Start(worker);
            }
            catch (TaskSchedulerException error)
            {
                // Its message stays with it, unacknowledged: the server sends it again on the next connection.
                host.ReportSchedulerFailure(feed, error);
                return;
            }
        }
    }

    /// <summary>When there are more messages than workers, these take them themselves; one that finds none becomes idle.</summary>
    private Task WhenWorkersLackMessages()
    {
        lock (_lock)
        {
            return _idle.Count > 0 || _workers < _most ? Task.CompletedTask : NextIdle();
        }
    }

    private async ValueTask WhenAllIdle()
    {
        while (true)
        {
            Task idle;
            lock (_lock)
            {
                if (_idle.Count == _workers)
                {
                    return;
                }

                idle = NextIdle();
            }

            await idle.ConfigureAwait(false);
        }
    }

    private Task NextIdle() => (_whenIdle ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>A worker's next message, of its own lane first; false: it is idle now.</summary>
    private bool TryGoOn(Worker worker)
    {
        bool more;
        List<ReceivedMessage>? left = null;
        lock (_lock)
        {
            more = TryGoOn(worker, ref left);
        }

        // This enters the engine, and signals whoever waits for what that leads to.
        left?.ForEach(message => feed.LetGo(message));
        return more;
    }

    /// <summary>The lock, held. What nobody wants any more goes to <paramref name="left"/>.</summary>
    private bool TryGoOn(Worker worker, ref List<ReceivedMessage>? left)
    {
        if (worker.Lane is { } lane && _lanes.TryGetValue(lane, out var waiting))
        {
            if (!feed.IsClosed && waiting.TryDequeue(out var next))
            {
                feed.PutAside(next, -1);
                worker.Give(next, lane);
                return true;
            }

            while (waiting.TryDequeue(out var unwanted))
            {
                feed.PutAside(unwanted, -1);
                (left ??= []).Add(unwanted);
            }

            _lanes.Remove(lane);
            _spareLanes.Push(waiting);
        }

        if (!feed.IsClosed && TryTake(out var message, out var other))
        {
            worker.Give(message, other);
            return true;
        }

        _idle.Push(worker);
        _whenIdle?.TrySetResult();
        _whenIdle = null;
        return false;
    }

    /// <summary>The next message whose lane is free; those on the way to it go to their lanes.</summary>
    private bool TryTake(out ReceivedMessage message, out uint? lane)
    {
        lane = null;
        while (!feed.IsClosed && feed.TryTake(out message))
        {
            if (_orderBy is null)
            {
                return true;
            }

            var key = KeyOf(message);
            if (!_lanes.TryGetValue(key, out var waiting))
            {
                _lanes.Add(key, _spareLanes.TryPop(out var spare) ? spare : new Queue<ReceivedMessage>());
                lane = key;
                return true;
            }

            waiting.Enqueue(message);
            feed.PutAside(message, 1);
        }

        message = default;
        return false;
    }

    /// <summary>Keys with the same hash share a lane, which costs a little concurrency and no order.</summary>
    private uint KeyOf(in ReceivedMessage message)
    {
        try
        {
            return TopicBytesComparer.Hash(_orderBy!(_keyLease.Begin(message, feed)));
        }
        catch (Exception error)
        {
            host.ReportKeyFailure(feed, error);
            return 0;
        }
        finally
        {
            _keyLease.End();
        }
    }

    /// <summary>One of those that handle messages beside each other.</summary>
    private sealed class Worker(ConcurrentPump pump, EngineHost host, MessageFeed feed, MessageHandler handler) : IThreadPoolWorkItem
    {
        private readonly HandlerCalls _calls = new(host, feed, handler);
        private readonly bool _captures = host.Handlers.IsOwn;
        private ReceivedMessage _message;

        public uint? Lane { get; private set; }

        public void Give(in ReceivedMessage message, uint? lane)
        {
            _message = message;
            Lane = lane;
        }

        private ReceivedMessage Take()
        {
            var message = _message;
            _message = default;
            return message;
        }

        void IThreadPoolWorkItem.Execute() => _ = RunAsync();

        private async Task RunAsync()
        {
            do
            {
                MessageOutcome outcome;
                var message = Take();
                var handled = _calls.Start(message);
                if (handled.IsCompletedSuccessfully)
                {
                    handled.GetAwaiter().GetResult();
                    outcome = _calls.End();
                }
                else
                {
                    outcome = await _calls.FinishAsync(handled, message).ConfigureAwait(_captures);
                }

                message.Chunk.Release();
                if (feed.IsAwaited(message) && !outcome.IsSettled)
                {
                    host.Complete([feed.ToOutcome(message, outcome)]);
                }

                if (host.Handlers.ShouldYield)
                {
                    await host.Handlers.YieldAsync().ConfigureAwait(host.Handlers.IsOwn);
                }
            }
            while (pump.TryGoOn(this));
        }
    }
}
