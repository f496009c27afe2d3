using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Session;
using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Engine;

/// <summary>An answer for those who asked: granted QoS or a failure.</summary>
internal readonly record struct SubscriptionAnswer(TopicFilter Filter, IReadOnlyList<LocalSubscription> Subscriptions, ReasonCode ReasonCode, string? Detail);

/// <summary>An answer to an UNSUBSCRIBE, for the one who waits for it; or why there will be none.</summary>
internal readonly record struct UnsubscribeAnswer(object Waiter, ReasonCode ReasonCode, CloseReason? Failure = null);

/// <summary>
/// The subscriptions that the application wants, against those that this session has: what is missing is asked for, what is too much is given up, whenever there is a
/// connection. Not thread-safe: guarded with the outbound half.
/// </summary>
internal sealed class WantedSubscriptions
{
    // AWS IoT takes eight filters in one SUBSCRIBE; nobody takes fewer.
    private const int FiltersPerPacket = 8;

    private readonly Dictionary<string, Wanted> _wanted = new(StringComparer.Ordinal);
    private readonly List<Unwanted> _unwanted = [];
    private readonly Dictionary<ushort, Wanted[]> _asked = [];
    private readonly Dictionary<ushort, Unwanted> _givingUp = [];
    private bool _dirty;

    private enum Phase : byte
    {
        Missing,
        Asked,
        Granted,
    }

    /// <summary>Answers; the host passes them on and clears the list.</summary>
    public List<SubscriptionAnswer> Answers { get; } = [];

    /// <summary>Answers to unsubscribing, likewise.</summary>
    public List<UnsubscribeAnswer> UnsubscribeAnswers { get; } = [];

    /// <summary>Command: the application wants this one too. Its terms count from now on, so it is asked for even if the filter is granted already.</summary>
    public void Add(LocalSubscription subscription)
    {
        var text = subscription.TopicFilter.Text;
        if (!_wanted.TryGetValue(text, out var wanted))
        {
            wanted = new Wanted(subscription.TopicFilter);
            _wanted[text] = wanted;
        }

        // The UNSUBSCRIBE that did not leave yet is not needed any more; one that did is followed by the SUBSCRIBE.
        foreach (var unwanted in _unwanted.Where(u => u.Filter == text && !u.Asked).ToList())
        {
            _unwanted.Remove(unwanted);
            Answer(unwanted, ReasonCode.Success);
        }

        wanted.Locals.Add(subscription);
        wanted.Terms = subscription.Terms;
        wanted.Phase = Phase.Missing;
        _dirty = true;
    }

    /// <summary>Command: the application does not want this one any more. With the last of a filter the filter itself goes.</summary>
    /// <param name="subscription">One that was added.</param>
    /// <param name="waiter">Hears the server's answer; null: nobody does.</param>
    public void Remove(LocalSubscription subscription, object? waiter)
    {
        if (_wanted.TryGetValue(subscription.TopicFilter.Text, out var wanted) && wanted.Locals.Remove(subscription) && wanted.Locals.Count == 0)
        {
            GiveUp(subscription.TopicFilter.Text, waiter);
        }
        else if (waiter is not null)
        {
            UnsubscribeAnswers.Add(new UnsubscribeAnswer(waiter, ReasonCode.Success));
        }
    }

    /// <summary>Command: the filter goes, whoever wants it or does not know of it.</summary>
    /// <returns>The subscriptions that it takes along.</returns>
    public IReadOnlyList<LocalSubscription> GiveUp(string filter, object? waiter)
    {
        IReadOnlyList<LocalSubscription> locals = _wanted.Remove(filter, out var wanted) ? wanted.Locals : [];
        _unwanted.Add(new Unwanted(filter, waiter));
        _dirty = true;
        return locals;
    }

    /// <summary>A connection was accepted. What was asked and not answered is asked again; in a new session everything is.</summary>
    /// <param name="sessionKept">Whether the server has the session.</param>
    /// <param name="isCertain">Whether it said so; if not, everything is asked again too.</param>
    public void Open(bool sessionKept, bool isCertain)
    {
        foreach (var wanted in _wanted.Values)
        {
            if (!sessionKept || !isCertain || wanted.Phase == Phase.Asked)
            {
                wanted.Phase = Phase.Missing;
            }
        }

        foreach (var unwanted in _unwanted.Where(u => !sessionKept || _wanted.ContainsKey(u.Filter)).ToList())
        {
            // Not there in a new session; in an old one the SUBSCRIBE that came after has replaced it.
            _unwanted.Remove(unwanted);
            Answer(unwanted, sessionKept ? ReasonCode.Success : ReasonCode.NoSubscriptionExisted);
        }

        _dirty = true;
    }

    /// <summary>The connection is gone, and with it the identifiers of unanswered requests.</summary>
    public void Close(ClientSession session)
    {
        foreach (var id in _asked.Keys)
        {
            session.EndRequest(InFlightPhase.SubAck, id);
        }

        foreach (var id in _givingUp.Keys)
        {
            session.EndRequest(InFlightPhase.UnsubAck, id);
        }

        foreach (var unwanted in _unwanted)
        {
            unwanted.Asked = false;
        }

        _asked.Clear();
        _givingUp.Clear();
    }

    /// <summary>Writes what is to be asked for; whatever the server cannot do is denied here.</summary>
    public void Pump(Outbound outbound, ServerLimits limits, MqttVersion version)
    {
        if (!_dirty)
        {
            return;
        }

        _dirty = false;
        foreach (var unwanted in _unwanted.Where(u => !u.Asked).ToList())
        {
            GiveUp(outbound, unwanted, version);
        }

        foreach (var wanted in _wanted.Values.Where(w => w.Phase == Phase.Missing).ToList())
        {
            if (SubscriptionLimit.Check(limits, version, wanted.Filter, wanted.Terms) is { } limit)
            {
                Deny(wanted, limit.ReasonCode, limit.Message);
            }
        }

        foreach (var group in _wanted.Values.Where(w => w.Phase == Phase.Missing).GroupBy(w => (w.Terms.Identifier, w.Terms.UserProperties)))
        {
            foreach (var chunk in group.Chunk(FiltersPerPacket))
            {
                Ask(outbound, chunk, version);
            }
        }
    }

    /// <summary>SUBACK came. False: it answers nothing that was asked, or with another number of codes [MQTT5-3.8.4-6].</summary>
    public bool HandleSubAck(ClientSession session, SubAckPacket packet)
    {
        if (session.EndRequest(InFlightPhase.SubAck, packet.PacketId) is null || !_asked.Remove(packet.PacketId, out var asked))
        {
            return true;
        }

        if (packet.ReasonCodes.Count != asked.Length)
        {
            return false;
        }

        for (var i = 0; i < asked.Length; i++)
        {
            var wanted = asked[i];
            if (wanted.AskedWith != packet.PacketId || wanted.Phase != Phase.Asked)
            {
                // It was asked for again since, on other terms: that answer counts.
                continue;
            }

            if (packet.ReasonCodes[i].IsFailure())
            {
                Deny(wanted, packet.ReasonCodes[i], packet.ReasonString);
                continue;
            }

            wanted.Phase = Phase.Granted;

            Answers.Add(new SubscriptionAnswer(wanted.Filter, [.. wanted.Locals], packet.ReasonCodes[i], packet.ReasonString));
        }

        return true;
    }

    /// <summary>UNSUBACK came.</summary>
    public void HandleUnsubAck(ClientSession session, UnsubAckPacket packet)
    {
        if (session.EndRequest(InFlightPhase.UnsubAck, packet.PacketId) is null || !_givingUp.Remove(packet.PacketId, out var unwanted))
        {
            return;
        }

        _unwanted.Remove(unwanted);
        Answer(unwanted, packet.ReasonCodes.Count > 0 ? packet.ReasonCodes[0] : ReasonCode.Success);
    }

    /// <summary>The client gave up or is closed: who waits for an UNSUBACK hears that it will not come. A later connection still asks for it.</summary>
    public void FailWaiting(CloseReason reason)
    {
        foreach (var unwanted in _unwanted)
        {
            Answer(unwanted, ReasonCode.UnspecifiedError, reason);
        }
    }

    private void GiveUp(Outbound outbound, Unwanted unwanted, MqttVersion version)
    {
        if (!outbound.Session.CanRequest)
        {
            // The next answer frees an identifier.
            _dirty = true;
            return;
        }

        var id = outbound.Session.Request(InFlightPhase.UnsubAck, 0);
        var packet = new UnsubscribePacket { PacketId = id, Filters = [unwanted.Filter] };
        if (!outbound.Fits(packet))
        {
            // A filter that the server cannot have taken either.
            outbound.Session.EndRequest(InFlightPhase.UnsubAck, id);
            _unwanted.Remove(unwanted);
            Answer(unwanted, ReasonCode.NoSubscriptionExisted);
            return;
        }

        unwanted.Asked = true;
        _givingUp[id] = unwanted;
        outbound.WriteData(packet, version);
    }

    private void Ask(Outbound outbound, Wanted[] chunk, MqttVersion version)
    {
        if (!outbound.Session.CanRequest)
        {
            _dirty = true;
            return;
        }

        var id = outbound.Session.Request(InFlightPhase.SubAck, 0);
        var packet = new SubscribePacket
        {
            PacketId = id,
            SubscriptionIdentifier = chunk[0].Terms.Identifier,
            UserProperties = chunk[0].Terms.UserProperties,
            Subscriptions = [.. chunk.Select(w => new RequestedSubscription(w.Filter.Text, w.Terms.QoS)
            {
                NoLocal = w.Terms.NoLocal,
                RetainAsPublished = w.Terms.RetainAsPublished,
                RetainHandling = w.Terms.RetainHandling,
            })],
        };
        if (!outbound.Fits(packet))
        {
            outbound.Session.EndRequest(InFlightPhase.SubAck, id);
            if (chunk.Length == 1)
            {
                Deny(chunk[0], ReasonCode.PacketTooLarge, "The SUBSCRIBE is larger than the server's Maximum Packet Size; use a shorter filter.");
                return;
            }

            Ask(outbound, chunk[..(chunk.Length / 2)], version);
            Ask(outbound, chunk[(chunk.Length / 2)..], version);
            return;
        }

        foreach (var wanted in chunk)
        {
            wanted.Phase = Phase.Asked;
            wanted.AskedWith = id;
        }

        _asked[id] = chunk;
        outbound.WriteData(packet, version);
    }

    private void Deny(Wanted wanted, ReasonCode code, string? detail)
    {
        if (_wanted.TryGetValue(wanted.Filter.Text, out var current) && current == wanted)
        {
            _wanted.Remove(wanted.Filter.Text);
        }

        Answers.Add(new SubscriptionAnswer(wanted.Filter, [.. wanted.Locals], code, detail));
    }

    private void Answer(Unwanted unwanted, ReasonCode code, CloseReason? failure = null)
    {
        if (unwanted.Waiter is { } waiter)
        {
            unwanted.Waiter = null;
            UnsubscribeAnswers.Add(new UnsubscribeAnswer(waiter, code, failure));
        }
    }

    private sealed class Wanted(TopicFilter filter)
    {
        public TopicFilter Filter => filter;

        public List<LocalSubscription> Locals { get; } = [];

        public SubscriptionTerms Terms { get; set; } = null!;

        public Phase Phase { get; set; }

        /// <summary>The identifier of the SUBSCRIBE that asked last.</summary>
        public ushort AskedWith { get; set; }
    }

    private sealed class Unwanted(string filter, object? waiter)
    {
        public string Filter => filter;

        public object? Waiter { get; set; } = waiter;

        public bool Asked { get; set; }
    }
}
