using Nightjar.Protocol.Engine;

namespace Nightjar.Connection;

// Asking for a connection, and what comes before one.
internal sealed partial class EngineHost
{
    /// <summary>Waits for a connection, and asks for it as it is told to.</summary>
    public Task<ConnectResult> ConnectAsync(ConnectWish wish, CancellationToken cancellationToken) => wish != ConnectWish.None && _durable is { IsReady: false } durable
        ? durable.InTurn(() => new ValueTask<ConnectResult>(ConnectNowAsync(wish, cancellationToken)), cancellationToken)
        : ConnectNowAsync(wish, cancellationToken);

    private Task<ConnectResult> ConnectNowAsync(ConnectWish wish, CancellationToken cancellationToken)
    {
        Task<ConnectResult> connected;
        using (_gate.Enter())
        {
            ThrowIfClosed();
            connected = _reports.WhenConnected(ending: _engine.State == ClientState.Disconnected);
            switch (wish)
            {
                case ConnectWish.WhenAllowed:
                    _engine.Connect(_gate.Now());
                    break;
                case ConnectWish.ByHand or ConnectWish.AtOnce:
                    _engine.ConnectByHand(atOnce: wish == ConnectWish.AtOnce, _gate.Now());
                    break;
            }
        }

        return Relay.Of(connected).WaitAsync(cancellationToken);
    }

    /// <summary>Other options: the task ends when they are in force.</summary>
    public Task UpdateAsync(MqttClientOptions options) => _durable is { IsReady: false } durable
        ? durable.InTurn(() => DoAsync(UpdateNowAsync(options)), CancellationToken.None)
        : UpdateNowAsync(options);

    private Task UpdateNowAsync(MqttClientOptions options)
    {
        var before = _options;
        options.Outbox = before.Outbox;
        options.Receive = before.Receive;
        options.Session.Store = before.Session.Store;
        options.TimeProvider = before.TimeProvider;
        options.LoggerFactory = before.LoggerFactory;
        var settings = EngineSettingsFactory.Create(options, _generatedId);
        Task updated;
        using (_gate.Enter())
        {
            ThrowIfClosed();
            updated = _reports.WhenUpdated();
            _engine.Update(settings, _gate.Now());
        }

        return Relay.Of(updated);
    }

    /// <summary>The engine goes by these options from here on; called under the lock.</summary>
    public void Updated(EngineSettings settings) => _options = (MqttClientOptions)settings.Tag!;

    /// <summary>What the application does before an attempt. The server to dial; null: the attempt is over.</summary>
    public async Task<MqttServer?> PrepareAsync(NetworkConnection connection, CancellationToken cancellationToken)
    {
        var dial = connection.Dial;
        var options = _options;
        if (dial.Continues || (options.Connection.ReadinessGate is null && options.Connection.BeforeConnect is null))
        {
            return AttemptPreparation.ServerOf(dial.Target);
        }

        SetDialStage(ConnectStage.Preparation);
        var clientId = dial.Target is { ClientIdIsGenerated: false, Connect.ClientId: { Length: > 0 } given } ? given : ClientId;
        var prepared = await AttemptPreparation.PrepareAsync(options, dial, clientId, cancellationToken).ConfigureAwait(false);
        using (_gate.Enter())
        {
            if (_gate.Connection != connection)
            {
                return null;
            }

            _engine.HandlePrepared(dial.Attempt, prepared, _gate.Now());
        }

        return AttemptPreparation.ServerOf(prepared ?? dial.Target);
    }

    public void AnswerDelay(int question, TimeSpan? delay)
    {
        using (_gate.Enter())
        {
            _engine.HandleDelay(question, delay?.Ticks, _gate.Now());
        }
    }

    public void AnswerWindow(int question, TimeSpan opens, TimeSpan closes)
    {
        using (_gate.Enter())
        {
            var now = _gate.Now();
            _engine.HandleWindow(question, opens == TimeSpan.MinValue ? now : now + opens.Ticks, closes == TimeSpan.MinValue ? now : now + closes.Ticks, now);
        }
    }

    public void NetworkChanged()
    {
        using (_gate.Enter())
        {
            _engine.HandleNetworkChange(_gate.Now());
        }
    }
}

/// <summary>How much somebody wants a connection.</summary>
internal enum ConnectWish
{
    /// <summary>Not enough to ask for it.</summary>
    None,

    /// <summary>As soon as the schedule allows it.</summary>
    WhenAllowed,

    /// <summary>Whatever the schedule says.</summary>
    ByHand,

    /// <summary>And without waiting after a failure.</summary>
    AtOnce,
}
