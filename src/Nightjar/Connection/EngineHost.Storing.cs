using Nightjar.Diagnostics;
using Nightjar.Protocol.Journal;
using Nightjar.Subscriptions;

namespace Nightjar.Connection;

// The session's store.
internal sealed partial class EngineHost
{
    public bool HasStore => _durable is not null;

    /// <summary>How far the session's log is committed; null without a store.</summary>
    public CommitMark? Commits => _durable?.Commits;

    /// <summary>Opens the store now, if it is not open yet. Without one there is nothing to open.</summary>
    public Task OpenAsync(CancellationToken cancellationToken) => _durable is { IsReady: false } durable
        ? durable.InTurn(() => DoAsync(OpenedAsync()), cancellationToken)
        : OpenedAsync();

    /// <summary>The store is open, and this lay in it.</summary>
    public void Restore(SessionRecovery recovery, DurableSession durable)
    {
        var restored = recovery.Complete();
        ClientEvent.SessionRestored happened;
        using (_gate.Enter())
        {
            if (_engine.State == ClientState.Closed)
            {
                return;
            }

            _engine.Restore(restored, new SessionJournal(durable), _gate.Now(), Options.TimeProvider.GetUtcNow());
            if (durable.NoteRecovery())
            {
                Events.Publish(new ClientEvent.StorageRecovered());
            }

            happened = new ClientEvent.SessionRestored
            {
                PendingMessages = _engine.Outbound.Pending.Count,
                InFlight = _engine.Outbound.Session.InFlight,
                UnhandledMessages = restored.Deliveries.Count,
                DamagedStretches = recovery.Damages,
                DamagedBytes = recovery.DamagedBytes,
            };
            Events.Publish(happened);
        }

        Log.SessionRestored(_logger, happened.PendingMessages, happened.InFlight, happened.UnhandledMessages);
        if (happened.DamagedStretches > 0)
        {
            Log.StoreDamaged(_logger, happened.DamagedStretches, happened.DamagedBytes);
        }
    }

    /// <summary>The log is committed up to this record.</summary>
    public void Committed(long sequence)
    {
        using (_gate.Enter())
        {
            _engine.HandleCommitted(sequence);
        }
    }

    public void StoreFailed(DurableSession durable, StorageException failure)
    {
        using (_gate.Enter())
        {
            // Told each time: what could be written a moment ago, while something else failed, perhaps cannot be now, or the other way round.
            if (!failure.IsWriting)
            {
                _engine.HandleStoreFailed();
            }
            else if (_engine.Outbound.StoreIsFailing)
            {
                _engine.HandleStoreWentOn();
            }

            if (!durable.NoteFailure(failure, Options.TimeProvider.GetUtcNow()))
            {
                return;
            }

            _engine.Counters.StorageFailures++;
            Events.Publish(new ClientEvent.StorageFailed(failure));
        }

        Log.StorageFailed(_logger, failure);
    }

    public void StoreWentOn(DurableSession durable)
    {
        using (_gate.Enter())
        {
            if (!durable.NoteRecovery())
            {
                return;
            }

            Events.Publish(new ClientEvent.StorageRecovered());
            if (_engine.Outbound.StoreIsFailing)
            {
                _engine.HandleStoreWentOn();
            }
        }

        Log.StorageRecovered(_logger);
    }

    /// <summary>The store could not be opened: whoever waits for messages hears it, and a later call tries again.</summary>
    public void OpeningFailed(DurableSession durable, StorageException failure)
    {
        using (_gate.Enter())
        {
            if (durable.NoteFailure(failure, Options.TimeProvider.GetUtcNow()))
            {
                _engine.Counters.StorageFailures++;
                Events.Publish(new ClientEvent.StorageFailed(failure));
            }

            foreach (var feed in _gate.Feeds)
            {
                feed.Interrupt(failure);
            }
        }

        Log.OpeningFailed(_logger, failure);
    }

    /// <summary>
    /// Under the gate, so that nothing new comes before it: messages that were stored and not handled go into the queues of those who get them. They are not to be seen before
    /// <see cref="ShowReplayed"/>.
    /// </summary>
    public void Replay(List<MessageFeed> replayed)
    {
        lock (Delivering)
        {
            while (_engine.TakeReplay(out var replay))
            {
                foreach (var subscription in replay.Route.Subscriptions)
                {
                    if (replay.IsFor(subscription))
                    {
                        var feed = (MessageFeed)subscription;
                        feed.Append(ReceivedMessage.From(replay, ReceiveBudget));
                        if (!replayed.Contains(feed))
                        {
                            replayed.Add(feed);
                        }
                    }
                }
            }
        }
    }

    public void ShowReplayed(List<MessageFeed> replayed)
    {
        lock (Delivering)
        {
            replayed.ForEach(feed => feed.Publish());
        }

        foreach (var feed in replayed)
        {
            if (feed.IsClosed)
            {
                feed.LetGo();
            }
        }
    }

    /// <summary>A store threw where it must not.</summary>
    public void ReportStoreFailure(Exception error) => Log.StoreThrew(_logger, error);

    /// <summary>The engine is closed; under the gate.</summary>
    public void NoteEnd() => _durable?.End();

    public void CloseStore() => _durable?.Close();

    private Task OpenedAsync()
    {
        using (_gate.Enter())
        {
            ThrowIfClosed();
        }

        return Task.CompletedTask;
    }

    private static async ValueTask<bool> DoAsync(Task task)
    {
        await task.ConfigureAwait(false);
        return true;
    }
}
