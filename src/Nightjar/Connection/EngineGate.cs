using Microsoft.Extensions.Logging;
using Nightjar.Diagnostics;
using Nightjar.Protocol.Engine;
using Nightjar.Subscriptions;

namespace Nightjar.Connection;

/// <summary>
/// The one lock around the engine, and the one timer for its deadline. Each entry goes the same way: take the lock, tell the engine, collect what that leads to,
/// release the lock, carry it out. What is collected under the lock reaches the application in the engine's order; what touches I/O or a logger waits until after it.
/// </summary>
internal sealed class EngineGate
{
    private readonly Lock _lock = new();
    private readonly EngineHost _host;
    private readonly Questions _questions;
    private readonly NetworkWatch _network;
    private readonly TimeProvider _timeProvider;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private readonly long _started;
    private long _turn;
    private long _armedFor = long.MaxValue;
    private Effects? _spare;

    public EngineGate(EngineHost host, EngineSettings settings, ILogger logger)
    {
        _host = host;
        _questions = new Questions(host, logger);
        _network = new NetworkWatch(host, logger);
        _timeProvider = host.Options.TimeProvider;
        _logger = logger;
        _started = _timeProvider.GetTimestamp();
        Engine = new ClientEngine(settings);
        Reports = new OutputReports(settings.Servers[0].Name);
        _timer = _timeProvider.CreateTimer(static state => ((EngineGate)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>To be touched inside an entry only, like everything below.</summary>
    public ClientEngine Engine { get; }

    public OutputReports Reports { get; }

    /// <summary>The subscriptions that are alive.</summary>
    public HashSet<MessageFeed> Feeds { get; } = [];

    /// <summary>The connection that the engine knows of; null while there is none.</summary>
    public NetworkConnection? Connection { get; private set; }

    /// <summary>Takes the lock until the entry is disposed.</summary>
    public Entry Enter()
    {
        _lock.Enter();
        return new Entry(this);
    }

    /// <summary>Ticks of 100 ns since the client was made.</summary>
    public long Now() => _timeProvider.GetElapsedTime(_started).Ticks;

    private void OnTimer()
    {
        using var entry = Enter();
        _armedFor = long.MaxValue;
        var now = Now();
        if (Connection is { IsPaused: true })
        {
            Engine.HandlePaused(now);
        }

        Engine.Advance(now);
    }

    private void Leave()
    {
        Effects? effects;
        Flusher? flush;
        try
        {
            effects = Collect(out flush);
        }
        finally
        {
            _lock.Exit();
        }

        CarryOut(effects, flush);
    }

    /// <summary>The flusher that somebody has to wake; the caller then does, without the lock. It is that of this moment: by then there may be another connection.</summary>
    private Flusher? FlusherToWake()
    {
        if (Connection is not { HoldsOutput: false, Flusher: { IsBusy: false } flusher } || !Engine.Outbound.HasOutput)
        {
            return null;
        }

        flusher.IsBusy = true;
        return flusher;
    }

    /// <summary>Under the lock, at the end of each entry: re-arms the timer and moves out what is to be done without the lock.</summary>
    private Effects? Collect(out Flusher? flush)
    {
        Effects? effects = null;
        var outbound = Engine.Outbound;
        if (Engine.HasNews)
        {
            effects = Interlocked.Exchange(ref _spare, null) ?? new Effects();
            LetIn(outbound);
            effects.HasReceipts = outbound.HasEndedReceipts;
            effects.Ended = outbound.TakeEnded(effects.Ended);
            if (outbound.Steps.Count > 0)
            {
                ReceiptReports.Report(outbound.Steps);
            }

            if (effects.HasReceipts)
            {
                ReceiptReports.Report(effects.Ended, _host.ServerName);
            }

            outbound.TakeDrained(outbound.Flushed);
            Reports.Report(Engine, Feeds);
            while (Engine.Outputs.TryDequeue(out var output))
            {
                effects.Outputs.Add(output);
                Connect(output, effects);
                Reports.Report(output, Feeds, Now());
            }

            effects.IsWaiting = Engine.State == ClientState.Waiting;
            effects.Turn = ++_turn;
        }

        Arm();
        flush = FlusherToWake();
        return effects;
    }

    /// <summary>Who waited for room comes in, in the order of asking, as long as there is some.</summary>
    private void LetIn(Outbound outbound)
    {
        if (!outbound.CanGrant)
        {
            return;
        }

        var now = Now();
        while (outbound.TryGrant(out var waiter))
        {
            ((RoomWaiter)waiter!).Grant(_host, Engine, now);
        }
    }

    private void Connect(EngineOutput output, Effects effects)
    {
        switch (output)
        {
            case EngineOutput.Dial dial:
                Connection = new NetworkConnection(_host, dial);
                effects.Start = Connection;
                break;
            case EngineOutput.CloseTransport close when Connection?.Attempt == close.Attempt:
                Connection.CloseAfterFlush = close.AfterFlush;
                effects.Close.Add((Connection, close.AfterFlush));
                Connection.StopWaiting();
                if (!close.AfterFlush)
                {
                    // The receive loop may wait for room that nobody will make any more.
                    Connection.WhenControlHasRoom?.TrySetResult();
                    Connection = null;
                }

                break;
            case EngineOutput.Replay:
                _host.Replay(effects.Replayed);
                break;
            case EngineOutput.Connected:
                Reports.Transport = Connection?.Info;
                break;
            case EngineOutput.Updated updated:
                _host.Updated(updated.Settings);
                break;
            case EngineOutput.Closed:
                effects.IsClosed = true;
                _timer.Dispose();
                _host.NoteEnd();
                break;
        }
    }

    /// <summary>The timer is set earlier when it must be, never later: it then finds nothing to do and is set again.</summary>
    private void Arm()
    {
        var deadline = Engine.Deadline;
        if (deadline < _armedFor)
        {
            // A timer counts in whole milliseconds; rounding up spares it a visit that comes a moment too early. What lies farther off than a timer can wait, a connection window next
            // year, is waited for in stages: the visits between find nothing to do.
            var rounded = Math.Max(0, deadline - Now()) + TimeSpan.TicksPerMillisecond - 1;
            _timer.Change(TimeSpan.FromTicks(Math.Min(rounded, OptionConflicts.MaximumTimer.Ticks)), Timeout.InfiniteTimeSpan);
            _armedFor = deadline;
        }
    }

    private void CarryOut(Effects? effects, Flusher? flush)
    {
        flush?.Wake();
        if (effects is null)
        {
            return;
        }

        if (effects.Replayed.Count > 0)
        {
            _host.ShowReplayed(effects.Replayed);
        }

        if (effects.Ended.Count > 0)
        {
            _host.Waiters.Signalling(effects.PublishersEnded);
        }

        foreach (ref readonly var outcome in System.Runtime.InteropServices.CollectionsMarshal.AsSpan(effects.Ended))
        {
            if (outcome.Waiter is not PublishWaiter waiter)
            {
                EndOther(outcome);
                continue;
            }

            if (Failure.ToException(outcome, _host.ServerName) is { } error)
            {
                waiter.SetException(error);
            }
            else
            {
                waiter.SetResult(new PublishResult(outcome.ReasonCode, outcome.PacketId, outcome.Flags));
            }
        }

        foreach (var (connection, afterFlush) in effects.Close)
        {
            if (!afterFlush)
            {
                connection.Close(error: null);
            }
        }

        if (effects.Start is { } start)
        {
            _ = Task.Run(start.RunAsync);
        }

        foreach (var output in effects.Outputs)
        {
            Log.Output(_logger, output, _host.ServerName);
            _host.Telemetry.Report(output);
            _questions.Ask(output);
        }

        if (effects.IsClosed)
        {
            _host.CloseStore();
        }

        _network.Follow(effects.IsWaiting, effects.IsClosed ? long.MaxValue : effects.Turn);

        effects.Clear();
        Volatile.Write(ref _spare, effects);
    }

    /// <summary>The end of a message with a receipt, which knows it already, or of a wait for room.</summary>
    private void EndOther(in PublishOutcome outcome)
    {
        switch (outcome.Waiter)
        {
            case DeliveryReceipt receipt:
                receipt.NotifyObservers();
                break;
            case RoomWaiter room:
                if (room.Publisher is not null)
                {
                    _host.Waiters.Signalling(1);
                }

                room.Fail(Failure.ToException(outcome, _host.ServerName)!);
                break;
        }
    }

    /// <summary>The lock, held.</summary>
    internal readonly ref struct Entry(EngineGate gate)
    {
        public void Dispose() => gate.Leave();
    }
}
