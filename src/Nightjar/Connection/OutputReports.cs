using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Requests;
using Nightjar.Subscriptions;

namespace Nightjar.Connection;

/// <summary>
/// Tells the application what the engine did: events, and the tasks of those who wait for a connection or for its end. All of it is called under the host's lock, so that the order is
/// the engine's; every continuation runs elsewhere.
/// </summary>
internal sealed class OutputReports(string server)
{
    private readonly TaskCompletionSource _closed = New();
    private volatile TaskCompletionSource _completion = New();
    private TaskCompletionSource<ConnectResult>? _connecting;
    private TaskCompletionSource? _stopping;
    private TaskCompletionSource? _disconnecting;
    private long _dialledAt;
    private TaskCompletionSource? _updating;

    public EventFeed Events { get; } = new();

    public Task Completion => _completion.Task;

    /// <summary>What was agreed with the server; null while not connected.</summary>
    public ConnectResult? Current { get; private set; }

    /// <summary>What the connection that is being reported is made of.</summary>
    public TransportInfo? Transport { get; set; }

    /// <summary>How long the last attempt to connect took.</summary>
    public long AttemptTook { get; private set; }

    /// <summary>The current connection, or the next one if it is <paramref name="ending"/> or there is none.</summary>
    public Task<ConnectResult> WhenConnected(bool ending)
    {
        if (Current is not null && !ending && _stopping is null)
        {
            return Task.FromResult(Current);
        }

        _connecting ??= new TaskCompletionSource<ConnectResult>(TaskCreationOptions.RunContinuationsAsynchronously);
        return _connecting.Task;
    }

    public Task WhenDisconnected() => Current is null ? Task.CompletedTask : (_disconnecting ??= New()).Task;

    /// <summary>The end that is asked for now: who waited for a connection waits in vain, who asks for one from here on gets the next.</summary>
    public Task WhenStopped()
    {
        FailConnecting(new MqttDisconnectedException("The client was disconnected on request before there was a connection."));
        return (_stopping ??= New()).Task;
    }

    public Task WhenClosed() => _closed.Task;

    /// <summary>The next time that other options take the place of those in force.</summary>
    public Task WhenUpdated() => (_updating ??= New()).Task;

    /// <summary>Answers that the engine keeps in lists.</summary>
    public void Report(ClientEngine engine, HashSet<MessageFeed> feeds)
    {
        foreach (var answer in engine.Subscriptions.Answers)
        {
            Report(answer, feeds);
        }

        engine.Subscriptions.Answers.Clear();
        foreach (var answer in engine.Subscriptions.UnsubscribeAnswers)
        {
            var waiter = (AnswerCollector<UnsubscribeResult>)answer.Waiter;
            if (answer.Failure is { } failure)
            {
                waiter.Fail(Failure.ToConnectException(failure, server));
            }
            else
            {
                waiter.Answer(answer.Filter, new UnsubscribeResult(answer.Filter, answer.ReasonCode) { ReasonString = answer.Detail });
            }
        }

        engine.Subscriptions.UnsubscribeAnswers.Clear();
        foreach (var (waiter, failure) in engine.Requests.Ended)
        {
            var request = (PendingRequest)waiter;
            if (failure is null)
            {
                request.TimeOut();
            }
            else
            {
                request.Fail(Failure.ToConnectException(failure, server));
            }
        }

        engine.Requests.Ended.Clear();
        foreach (var flush in engine.Outbound.Flushed)
        {
            var waiter = (TaskCompletionSource)flush.Waiter;
            if (flush.Failure is { } failure)
            {
                Fail(waiter, Failure.ToConnectException(failure, server));
            }
            else
            {
                waiter.TrySetResult();
            }
        }

        engine.Outbound.Flushed.Clear();
        foreach (var (topic, packetId, reason) in engine.Outbound.Quarantined)
        {
            Events.Publish(new ClientEvent.Quarantined(topic, packetId, reason));
        }

        engine.Outbound.Quarantined.Clear();
        foreach (var (topic, qos, id, reason) in engine.Outbound.Drops)
        {
            Events.Publish(new ClientEvent.MessageDropped(topic, qos, id, reason));
        }

        engine.Outbound.Drops.Clear();
    }

    private void Report(in SubscriptionAnswer answer, HashSet<MessageFeed> feeds)
    {
        foreach (var waiter in answer.Waiters.Cast<AnswerCollector<SubscribeResult>>())
        {
            if (answer.Failure is { } failure)
            {
                waiter.Fail(Failure.ToConnectException(failure, server));
            }
            else
            {
                waiter.Answer(answer.Filter.Text, SubscriptionGrant.ToResult(answer));
            }
        }

        if (answer.Failure is not null)
        {
            return;
        }

        foreach (var subscription in answer.Subscriptions)
        {
            var feed = (MessageFeed)subscription;
            feed.Answer(answer);
            if (feed.Alive == 0)
            {
                feeds.Remove(feed);
            }
        }

        Events.Publish(new ClientEvent.SubscriptionAnswered(answer.Filter.Text, answer.ReasonCode));
    }

    public void Report(EngineOutput output, HashSet<MessageFeed> feeds, long now)
    {
        if (output is EngineOutput.Dial)
        {
            _dialledAt = now;
        }
        else if (output is EngineOutput.Connected or EngineOutput.AttemptFailed)
        {
            AttemptTook = now - _dialledAt;
        }

        switch (output)
        {
            case EngineOutput.Dial dial:
                if (_completion.Task.IsFaulted)
                {
                    // It had given up, and somebody asked it to try again.
                    _completion = New();
                }

                if (!dial.Continues)
                {
                    Events.Publish(new ClientEvent.Connecting(dial.Target.Name, dial.Number));
                }

                break;
            case EngineOutput.Connected connected:
                Current = ToResult(connected.Accepted, Transport);
                Events.Publish(new ClientEvent.Connected(Current));
                Take(ref _connecting)?.TrySetResult(Current);
                break;
            case EngineOutput.Disconnected disconnected:
                Disconnect(disconnected.Reason);
                break;
            case EngineOutput.AttemptFailed failed:
                Events.Publish(new ClientEvent.ConnectFailed(
                    Failure.ToConnectException(failed.Reason, server),
                    failed.RetryAt == long.MaxValue ? null : TimeSpan.FromTicks(Math.Max(0, failed.RetryAt - now)))
                {
                    Class = failed.Reason.Class,
                });
                break;
            case EngineOutput.Redirected redirected:
                Events.Publish(new ClientEvent.Redirected(redirected.Reason.Server ?? server, redirected.To));
                break;
            case EngineOutput.Updated:
                Take(ref _updating)?.TrySetResult();
                break;
            case EngineOutput.GaveUp gaveUp:
                GiveUp(Failure.ToConnectException(gaveUp.Reason, server), feeds);
                break;
            case EngineOutput.Stopped:
                Take(ref _stopping)?.TrySetResult();
                break;
            case EngineOutput.Closed:
                Close(feeds);
                break;
            case EngineOutput.PingAnswered answered:
                foreach (var waiter in answered.Waiters)
                {
                    ((TaskCompletionSource<TimeSpan>)waiter).TrySetResult(TimeSpan.FromTicks(answered.RoundTrip));
                }

                break;
            case EngineOutput.PingFailed failed:
                foreach (var waiter in failed.Waiters)
                {
                    Fail((TaskCompletionSource<TimeSpan>)waiter, Failure.ToPingException(failed.Reason, server));
                }

                break;
            case EngineOutput.Unrouted unrouted:
                Events.Publish(new ClientEvent.Unrouted(unrouted.Topic));
                break;
            case EngineOutput.HandlerStalled stalled:
                Events.Publish(new ClientEvent.HandlerStalled(ToHeld(stalled.Held)));
                break;
            case EngineOutput.HandlerTimedOut timedOut:
                Events.Publish(new ClientEvent.HandlerTimedOut(ToHeld(timedOut.First), timedOut.Count));
                break;
            case EngineOutput.WindowNearlyFull full:
                Events.Publish(new ClientEvent.WindowNearlyFull(full.Held, full.Window));
                break;
            case EngineOutput.Skipped skipped:
                Events.Publish(new ClientEvent.MessageSkipped(skipped.Topic, skipped.QoS, skipped.Size, skipped.Filter));
                break;
            case EngineOutput.Looping looping:
                Events.Publish(new ClientEvent.ReconnectLoop(Failure.ToException(looping.Reason, server), looping.Times));
                break;
            case EngineOutput.Dropped dropped:
                Events.Publish(new ClientEvent.PublishesDropped(dropped.Count));
                break;
        }
    }

    public static HeldMessage ToHeld(HeldAcknowledgement held) =>
        new(held.Subscription?.TopicFilter.Text ?? "", held.Topic, held.PacketId, TimeSpan.FromTicks(held.For));

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static T? Take<T>(ref T? field)
        where T : class
    {
        var taken = field;
        field = null;
        return taken;
    }

    private static ConnectResult ToResult(Accepted accepted, TransportInfo? transport) => new()
    {
        Version = accepted.Version,
        ClientId = accepted.ClientId,
        SessionPresent = accepted.Packet.SessionPresent,
        SessionExpiryInterval = accepted.SessionExpiryInterval == uint.MaxValue ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(accepted.SessionExpiryInterval),
        KeepAlive = TimeSpan.FromTicks(accepted.KeepAlive),
        ReceiveMaximum = accepted.Limits.ReceiveMaximum,
        MaximumPacketSize = accepted.Packet.MaximumPacketSize,
        MaximumQoS = accepted.Limits.MaximumQoS,
        RetainAvailable = accepted.Limits.RetainAvailable,
        WildcardSubscriptionAvailable = accepted.Limits.WildcardSubscriptionAvailable,
        SubscriptionIdentifiersAvailable = accepted.Limits.SubscriptionIdentifiersAvailable,
        SharedSubscriptionAvailable = accepted.Limits.SharedSubscriptionAvailable,
        TopicAliasMaximum = accepted.Limits.TopicAliasMaximum,
        ResponseInformation = accepted.Packet.ResponseInformation,
        ReasonString = accepted.Packet.ReasonString,
        UserProperties = accepted.Packet.UserProperties,
        Announced = ToCapabilities(accepted.Packet),
        Transport = transport,
    };

    private static ServerCapabilities ToCapabilities(ConnAckPacket packet) => new()
    {
        SessionExpiryInterval = packet.SessionExpiryInterval,
        ReceiveMaximum = packet.ReceiveMaximum,
        MaximumQoS = packet.MaximumQoS,
        RetainAvailable = packet.RetainAvailable,
        MaximumPacketSize = packet.MaximumPacketSize,
        AssignedClientIdentifier = packet.AssignedClientIdentifier,
        TopicAliasMaximum = packet.TopicAliasMaximum,
        WildcardSubscriptionAvailable = packet.WildcardSubscriptionAvailable,
        SubscriptionIdentifiersAvailable = packet.SubscriptionIdentifiersAvailable,
        SharedSubscriptionAvailable = packet.SharedSubscriptionAvailable,
        ServerKeepAlive = packet.ServerKeepAlive,
        ResponseInformation = packet.ResponseInformation,
        ServerReference = packet.ServerReference,
        AuthenticationMethod = packet.AuthenticationMethod,
    };

    private void Disconnect(CloseReason reason)
    {
        var clientId = Current?.ClientId ?? "";
        Current = null;
        Events.Publish(new ClientEvent.Disconnected(reason.Kind is CloseKind.Requested or CloseKind.Renewed ? null : Failure.ToException(reason, server))
        {
            Cause = reason.EndedBy,
            ReasonCode = reason.ReasonCode,
            Reason = reason.Message,
        });
        if (reason.Class == FailureClass.TakenOver)
        {
            Events.Publish(new ClientEvent.TakenOver(clientId));
        }

        Take(ref _disconnecting)?.TrySetResult();
    }

    private void GiveUp(Exception error, HashSet<MessageFeed> feeds)
    {
        FailConnecting(error);
        Fail(_completion, error);
        foreach (var feed in feeds)
        {
            feed.Interrupt(error);
        }
    }

    private void Close(HashSet<MessageFeed> feeds)
    {
        FailConnecting(new ObjectDisposedException(nameof(MqttClient)));
        foreach (var feed in feeds)
        {
            feed.Close(clientEnds: true);
        }

        feeds.Clear();
        Take(ref _stopping)?.TrySetResult();
        Take(ref _disconnecting)?.TrySetResult();
        if (Take(ref _updating) is { } updating)
        {
            Fail(updating, new ObjectDisposedException(nameof(MqttClient)));
        }

        _closed.TrySetResult();
        if (_completion.Task.IsFaulted)
        {
            // Given up earlier and closed now: who asks from here on hears of the end alone.
            _completion = New();
        }

        _completion.TrySetResult();
        Events.Complete();
    }

    private void FailConnecting(Exception error)
    {
        if (Take(ref _connecting) is { } connecting && connecting.TrySetException(error))
        {
            // Whoever stopped waiting does not look.
            _ = connecting.Task.Exception;
        }
    }

    private static void Fail<T>(TaskCompletionSource<T> source, Exception error)
    {
        if (source.TrySetException(error))
        {
            // Whoever stopped waiting does not look.
            _ = source.Task.Exception;
        }
    }

    private static void Fail(TaskCompletionSource source, Exception error)
    {
        if (source.TrySetException(error))
        {
            // Not everybody asks; a failure that nobody looks at is no unobserved exception.
            _ = source.Task.Exception;
        }
    }
}
