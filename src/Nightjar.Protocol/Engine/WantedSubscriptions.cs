using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Session;
using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// The subscriptions that the application wants, against those that this session has: what is missing is asked for, what is too much is given up, whenever there is a
/// connection. However many subscriptions of the application share a filter, on the wire it is one. Not thread-safe: guarded with the outbound half.
/// </summary>
internal sealed class WantedSubscriptions(WireTable wires, SubscriptionIdentifiers identifiers, bool useIdentifiers)
{
    // AWS IoT takes eight filters in one SUBSCRIBE; nobody takes fewer. Larger packets would save nothing: all of them leave in one write, and are answered in one.
    private const int FiltersPerPacket = 8;

    private readonly UnwantedFilters _unwanted = new(FiltersPerPacket);
    private readonly SubscribeRequests _requests = new(FiltersPerPacket);
    private readonly List<string> _gone = [];
    private List<WireSubscription> _missing = [];
    private List<WireSubscription> _overlapped = [];
    private bool _knowsSession;
    private bool _dirty;

    /// <summary>Answers; the host passes them on and clears the list.</summary>
    public List<SubscriptionAnswer> Answers { get; } = [];

    /// <summary>Answers to unsubscribing, likewise.</summary>
    public List<UnsubscribeAnswer> UnsubscribeAnswers => _unwanted.Answers;

    /// <summary>Whether the server has granted this filter in this session, on the terms that count now.</summary>
    public bool IsGranted(string filter) => wires.Find(filter) is { Phase: WirePhase.Granted };

    /// <summary>
    /// Command: the application wants this one too. A filter that is granted already is asked for again only if this one needs more (a higher QoS, for instance), or retained messages.
    /// </summary>
    public void Add(LocalSubscription subscription)
    {
        foreach (var filter in subscription.WireFilters)
        {
            _unwanted.TakeBack(filter.Text);
            var wire = wires.Find(filter.Text) ?? NewWire(filter);
            if (wire.Join(subscription))
            {
                Ask(wire);
            }
            else if (wire.Phase == WirePhase.Granted)
            {
                Answers.Add(new SubscriptionAnswer(filter, [subscription], wire.Granted!.Value, Detail: null));
            }
        }
    }

    /// <summary>Command: ask for all filters of this one again, for the sake of their retained messages. <paramref name="waiter"/> hears each answer.</summary>
    public void AskAgain(LocalSubscription subscription, object waiter)
    {
        foreach (var filter in subscription.WireFilters)
        {
            if (wires.Find(filter.Text) is not { } wire || !wire.Locals.Contains(subscription))
            {
                Answers.Add(new SubscriptionAnswer(filter, [], ReasonCode.NoSubscriptionExisted, "The subscription has ended.") { Waiters = [waiter] });
                continue;
            }

            if (!wire.Unasked.Contains(subscription) && !wire.Again.Contains(subscription))
            {
                wire.Again.Add(subscription);
            }

            wire.Waiters.Add(waiter);
            Ask(wire);
        }
    }

    /// <summary>Command: the application does not want this one any more. With the last of a filter the filter itself goes.</summary>
    /// <param name="subscription">One that was added.</param>
    /// <param name="waiter">Hears one answer for each filter; null: nobody does.</param>
    public void Remove(LocalSubscription subscription, object? waiter)
    {
        foreach (var filter in subscription.WireFilters)
        {
            if (wires.Find(filter.Text) is { } wire && wire.Leave(subscription) && wire.IsGone)
            {
                GiveUp(filter.Text, waiter);
            }
            else if (waiter is not null)
            {
                UnsubscribeAnswers.Add(new UnsubscribeAnswer(waiter, filter.Text, ReasonCode.Success));
            }
        }
    }

    /// <summary>Command: the filter goes, whoever wants it or does not know of it.</summary>
    /// <returns>The subscriptions that it served.</returns>
    public IReadOnlyList<LocalSubscription> GiveUp(string filter, object? waiter)
    {
        _unwanted.Add(filter, waiter);
        _dirty = true;
        if (wires.Find(filter) is not { } wire)
        {
            return [];
        }

        wires.Remove(wire);
        wire.Abandon();
        FailWaiters(wire, ReasonCode.NoSubscriptionExisted, "The subscription has ended.");
        return wire.Locals;
    }

    /// <summary>A connection was accepted. What was asked and not answered is asked again; in a new session everything is.</summary>
    /// <param name="sessionKept">Whether the server has the session.</param>
    /// <param name="isCertain">Whether it said so, of the session that we know; if not, everything is asked again too.</param>
    public void Open(bool sessionKept, bool isCertain)
    {
        if (!sessionKept)
        {
            identifiers.Clear();
            _knowsSession = true;
        }

        var hasAll = sessionKept && isCertain;
        _missing.Clear();
        _overlapped = [.. wires.All.Where(wire => wire.Overlaps)];
        foreach (var wire in wires.All)
        {
            wire.IsListed = false;
            if (!hasAll)
            {
                wire.StartOver();
                wire.MayComeUnmarked = sessionKept;
                wire.Identifier = sessionKept ? wire.Identifier : null;
            }

            if (wire.Phase == WirePhase.Missing)
            {
                Ask(wire);
            }
        }

        _unwanted.Open(sessionKept, wires);
        identifiers.Touch();
        _dirty = true;
    }

    /// <summary>The connection is gone, and with it the identifiers of unanswered requests.</summary>
    public void Close(ClientSession session)
    {
        _requests.Close(session);
        _unwanted.Close(session);
    }

    /// <summary>Writes what is to be asked for; whatever the server cannot do is denied here.</summary>
    public void Pump(Outbound outbound, ServerLimits limits, MqttVersion version)
    {
        if (!_dirty)
        {
            return;
        }

        _dirty = !_unwanted.Pump(outbound, version);
        var mayIdentify = useIdentifiers && version == MqttVersion.Mqtt5 && limits.SubscriptionIdentifiersAvailable;
        foreach (var wire in TakeMissing(mayIdentify))
        {
            if (SubscriptionLimit.Check(limits, version, wire.Filter, wire.Needed) is { } limit)
            {
                Refuse(wire, limit.ReasonCode, limit.Message, userProperties: null);
                continue;
            }

            wire.IsListed = true;
            _missing.Add(wire);
            Identify(wire, mayIdentify, version);
        }

        _missing = _requests.Write(outbound, _missing, version, out var tooLarge);
        foreach (var wire in tooLarge)
        {
            Refuse(wire, ReasonCode.PacketTooLarge, "The SUBSCRIBE is larger than the server's Maximum Packet Size; use a shorter filter.", userProperties: null);
        }

        // The next answer frees an identifier.
        _dirty |= _missing.Count > 0;
    }

    /// <summary>SUBACK came. Null if it keeps all rules; one that answers nothing that was asked is ignored.</summary>
    public ProtocolViolation? HandleSubAck(ClientSession session, SubAckPacket packet)
    {
        if (_requests.HandleSubAck(session, packet, out var asked) is { } violation)
        {
            return violation;
        }

        for (var i = 0; i < asked.Count; i++)
        {
            var wire = asked[i];
            if (wire.IsGone || wire.AskedWith != packet.PacketId || wire.Phase != WirePhase.Asked)
            {
                // Nobody wants it any more; or it was asked for again since, on other terms: that answer counts.
                continue;
            }

            if (packet.ReasonCodes[i].IsFailure())
            {
                Refuse(wire, packet.ReasonCodes[i], packet.ReasonString, packet.UserProperties);
            }
            else
            {
                Grant(wire, packet.ReasonCodes[i], packet);
            }
        }

        return null;
    }

    /// <summary>UNSUBACK came.</summary>
    public ProtocolViolation? HandleUnsubAck(ClientSession session, UnsubAckPacket packet, MqttVersion version)
    {
        var violation = _unwanted.HandleUnsubAck(session, packet, version, _gone);
        foreach (var filter in _gone)
        {
            if (wires.Find(filter) is null)
            {
                identifiers.Forget(filter);
            }
        }

        _gone.Clear();
        return violation;
    }

    /// <summary>The client gave up or is closed: who waits for an answer hears that it will not come. A later connection still asks for it.</summary>
    public void FailWaiting(CloseReason reason)
    {
        _unwanted.FailWaiting(reason);
        foreach (var wire in wires.All.Where(wire => wire.Waiters.Count > 0))
        {
            FailWaiters(wire, ReasonCode.UnspecifiedError, reason.Message, reason);
        }
    }

    private WireSubscription NewWire(TopicFilter filter)
    {
        // What an earlier process left in the session, it may have asked for with an identifier of its own.
        var wire = new WireSubscription(filter) { MayComeUnmarked = !_knowsSession };
        _overlapped.AddRange(wires.Add(wire));
        return wire;
    }

    private void Ask(WireSubscription wire)
    {
        wire.Phase = WirePhase.Missing;
        if (!wire.IsListed)
        {
            wire.IsListed = true;
            _missing.Add(wire);
        }

        _dirty = true;
    }

    /// <summary>What is to be asked for now. Those that others overlap with come first: they have their identifier before a message can match both.</summary>
    private List<WireSubscription> TakeMissing(bool mayIdentify)
    {
        List<WireSubscription> taken = [];
        if (mayIdentify)
        {
            taken.AddRange(_overlapped.Where(wire => wire is { IsGone: false, Identifier: null, Needed.Identifier: null, Phase: not WirePhase.Missing }));
            taken.ForEach(wire => wire.Phase = WirePhase.Missing);
        }

        _overlapped.Clear();
        foreach (var wire in _missing)
        {
            wire.IsListed = false;
            if (!wire.IsGone && wire.Phase == WirePhase.Missing)
            {
                taken.Add(wire);
            }
        }

        _missing.Clear();
        return taken;
    }

    private void Identify(WireSubscription wire, bool mayIdentify, MqttVersion version)
    {
        if (wire.Needed.Identifier is { } chosen && version == MqttVersion.Mqtt5)
        {
            wire.Identifier = chosen;
            identifiers.Note(chosen, wire.Filter, retainedFor: null);
            return;
        }

        if (!mayIdentify)
        {
            wire.Identifier = null;
            return;
        }

        // Retained messages that not everyone is to hear again come with a number of their own.
        var isFirst = wire.Granted is null && wire.Unanswered.Count == 0;
        var retainedFor = isFirst || wire.Needed.RetainAsPublished ? [] : wire.RetainedFor.ToList();
        if (retainedFor.Count > 0 && retainedFor.Count < wire.Locals.Count)
        {
            wire.Identifier = identifiers.Take(wire.Filter, retainedFor);
        }
        else if (wire.Overlaps && wire.Identifier is null)
        {
            wire.Identifier = identifiers.Take(wire.Filter, retainedFor: null);
        }
    }

    private void Grant(WireSubscription wire, ReasonCode code, SubAckPacket packet)
    {
        wire.Phase = WirePhase.Granted;
        wire.Granted = code;
        wire.MayComeUnmarked = wire.Identifier is null;
        identifiers.Touch();
        Answer(wire, [.. wire.Unanswered], code, packet.ReasonString, packet.UserProperties);
        wire.Unanswered.Clear();
    }

    /// <summary>
    /// The server does not want it, or cannot. If it granted the filter before, that still holds for those who had it then, and only those who came since hear the refusal.
    /// </summary>
    private void Refuse(WireSubscription wire, ReasonCode code, string? detail, IReadOnlyList<UserProperty>? userProperties)
    {
        List<LocalSubscription> refused = [.. wire.Granted is null ? wire.Locals : wire.Unanswered.Concat(wire.Unasked)];
        refused.ForEach(local => wire.Leave(local));
        if (wire.IsGone)
        {
            wires.Remove(wire);
        }
        else
        {
            wire.Phase = WirePhase.Granted;
        }

        identifiers.Touch();
        Answer(wire, refused, code, detail, userProperties);
    }

    private void Answer(
        WireSubscription wire, List<LocalSubscription> locals, ReasonCode code, string? detail, IReadOnlyList<UserProperty>? userProperties)
    {
        // Asked for the sake of an identifier alone: nobody waits for that.
        if (locals.Count > 0 || wire.Waiters.Count > 0)
        {
            Answers.Add(new SubscriptionAnswer(wire.Filter, locals, code, detail, userProperties) { Waiters = [.. wire.Waiters] });
        }

        wire.Again.Clear();
        wire.Waiters.Clear();
    }

    private void FailWaiters(WireSubscription wire, ReasonCode code, string detail, CloseReason? failure = null)
    {
        if (wire.Waiters.Count > 0)
        {
            Answers.Add(new SubscriptionAnswer(wire.Filter, [], code, detail) { Waiters = [.. wire.Waiters], Failure = failure });
            wire.Waiters.Clear();
        }
    }
}
