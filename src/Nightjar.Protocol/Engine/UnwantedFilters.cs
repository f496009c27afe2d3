using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Session;

namespace Nightjar.Protocol.Engine;

/// <summary>The filters that the server may have and the application does not want: given up as soon as there is a connection, and remembered until the server has said so.</summary>
internal sealed class UnwantedFilters(int filtersPerPacket)
{
    private readonly Dictionary<string, Unwanted> _unsent = new(StringComparer.Ordinal);
    private readonly Dictionary<ushort, Unwanted[]> _asked = [];
    private long _count;

    /// <summary>Answers; the host passes them on and clears the list.</summary>
    public List<UnsubscribeAnswer> Answers { get; } = [];

    public void Add(string filter, object? waiter)
    {
        if (!_unsent.TryGetValue(filter, out var unwanted))
        {
            _unsent[filter] = unwanted = new Unwanted(filter, _count++);
        }

        if (waiter is not null)
        {
            unwanted.Waiters.Add(waiter);
        }
    }

    /// <summary>It is wanted again. An UNSUBSCRIBE that did not leave yet is not needed any more; one that did is followed by the SUBSCRIBE.</summary>
    public void TakeBack(string filter)
    {
        if (_unsent.Remove(filter, out var unwanted))
        {
            Answer(unwanted, ReasonCode.Success);
        }
    }

    /// <summary>A connection was accepted. A new session has nothing to give up; in an old one, the SUBSCRIBE that came later has replaced what was to be.</summary>
    public void Open(bool sessionKept, WireTable wanted)
    {
        foreach (var unwanted in _unsent.Values.Where(u => !sessionKept || wanted.Find(u.Filter) is not null).ToList())
        {
            _unsent.Remove(unwanted.Filter);
            Answer(unwanted, sessionKept ? ReasonCode.Success : ReasonCode.NoSubscriptionExisted);
        }
    }

    /// <summary>The connection is gone, and with it the identifiers of unanswered requests.</summary>
    public void Close(ClientSession session)
    {
        foreach (var (id, asked) in _asked)
        {
            session.EndRequest(InFlightPhase.UnsubAck, id);
            foreach (var unwanted in asked)
            {
                if (!_unsent.TryAdd(unwanted.Filter, unwanted))
                {
                    _unsent[unwanted.Filter].Waiters.AddRange(unwanted.Waiters);
                }
            }
        }

        _asked.Clear();
    }

    /// <summary>Writes what did not leave yet. False: some must wait for an identifier, which the next answer frees.</summary>
    public bool Pump(Outbound outbound, MqttVersion version)
    {
        if (_unsent.Count > 0 && !outbound.Session.CanRequest)
        {
            return false;
        }

        foreach (var chunk in _unsent.Values.OrderBy(unwanted => unwanted.Order).Chunk(filtersPerPacket).ToList())
        {
            if (!GiveUp(outbound, chunk, version))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>UNSUBACK came. Returns the filters that are gone; or what rule it breaks.</summary>
    public ProtocolViolation? HandleUnsubAck(ClientSession session, UnsubAckPacket packet, MqttVersion version, List<string> gone)
    {
        if (session.EndRequest(InFlightPhase.UnsubAck, packet.PacketId) is null || !_asked.Remove(packet.PacketId, out var asked))
        {
            return null;
        }

        if (version == MqttVersion.Mqtt5 && packet.ReasonCodes.Count != asked.Length)
        {
            // Asked for again on the next connection.
            _asked[packet.PacketId] = asked;
            return new ProtocolViolation(ReasonCode.ProtocolError, "MQTT5-3.11.3-1", "An UNSUBACK has not as many codes as its UNSUBSCRIBE had filters.");
        }

        for (var i = 0; i < asked.Length; i++)
        {
            // Before 5.0 it has no codes and means that all is well.
            var code = i < packet.ReasonCodes.Count ? packet.ReasonCodes[i] : ReasonCode.Success;
            Answer(asked[i], code, packet.ReasonString);
            if (!code.IsFailure())
            {
                gone.Add(asked[i].Filter);
            }
        }

        return null;
    }

    /// <summary>The client gave up or is closed: who waits for an UNSUBACK hears that it will not come. A later connection still asks for it.</summary>
    public void FailWaiting(CloseReason reason)
    {
        foreach (var unwanted in _unsent.Values.Concat(_asked.Values.SelectMany(asked => asked)))
        {
            Answer(unwanted, ReasonCode.UnspecifiedError, failure: reason);
        }
    }

    private bool GiveUp(Outbound outbound, Unwanted[] chunk, MqttVersion version)
    {
        if (!outbound.Session.CanRequest)
        {
            return false;
        }

        var id = outbound.Session.Request(InFlightPhase.UnsubAck, 0);
        var packet = new UnsubscribePacket { PacketId = id, Filters = [.. chunk.Select(u => u.Filter)] };
        if (!outbound.Fits(packet))
        {
            outbound.Session.EndRequest(InFlightPhase.UnsubAck, id);
            if (chunk.Length > 1)
            {
                return GiveUp(outbound, chunk[..(chunk.Length / 2)], version) && GiveUp(outbound, chunk[(chunk.Length / 2)..], version);
            }

            // A filter that the server cannot have taken either.
            _unsent.Remove(chunk[0].Filter);
            Answer(chunk[0], ReasonCode.NoSubscriptionExisted);
            return true;
        }

        foreach (var unwanted in chunk)
        {
            _unsent.Remove(unwanted.Filter);
        }

        _asked[id] = chunk;

        // It needs no record, and must not pass a SUBSCRIBE for the same filter that waits for one.
        outbound.WriteData(packet, version, outbound.SubscribeRecord);
        return true;
    }

    private void Answer(Unwanted unwanted, ReasonCode code, string? detail = null, CloseReason? failure = null)
    {
        foreach (var waiter in unwanted.Waiters)
        {
            Answers.Add(new UnsubscribeAnswer(waiter, unwanted.Filter, code, detail, failure));
        }

        unwanted.Waiters.Clear();
    }

    private sealed class Unwanted(string filter, long order)
    {
        public long Order => order;

        public string Filter => filter;

        public List<object> Waiters { get; } = [];
    }
}
