using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Session;

namespace Nightjar.Protocol.Engine;

/// <summary>SUBSCRIBEs on their way: filters that share identifier and user properties share packets, as far as they fit.</summary>
internal sealed class SubscribeRequests(int filtersPerPacket)
{
    private readonly Dictionary<ushort, (WireSubscription Wire, QoS QoS)[]> _asked = [];
    private readonly List<WireSubscription> _left = [];
    private readonly List<WireSubscription> _tooLarge = [];

    /// <summary>Writes what is to be asked for. Returns what must wait for an identifier.</summary>
    /// <param name="outbound">Where to.</param>
    /// <param name="wires">What is missing.</param>
    /// <param name="version">That of the connection.</param>
    /// <param name="tooLarge">What no packet that the server takes can ask for.</param>
    public List<WireSubscription> Write(Outbound outbound, List<WireSubscription> wires, MqttVersion version, out List<WireSubscription> tooLarge)
    {
        _left.Clear();
        _tooLarge.Clear();
        foreach (var group in wires.GroupBy(wire => (wire.Identifier, wire.Needed.UserProperties)))
        {
            foreach (var chunk in group.Chunk(filtersPerPacket))
            {
                Ask(outbound, chunk, version);
            }
        }

        tooLarge = [.. _tooLarge];
        return [.. _left];
    }

    /// <summary>The connection is gone, and with it the identifiers of unanswered requests.</summary>
    public void Close(ClientSession session)
    {
        foreach (var (id, asked) in _asked)
        {
            session.EndRequest(InFlightPhase.SubAck, id);
            foreach (var (wire, _) in asked)
            {
                if (wire.Phase == WirePhase.Asked && wire.AskedWith == id)
                {
                    wire.HandleUnanswered();
                }
            }
        }

        _asked.Clear();
    }

    /// <summary>SUBACK came. Null if it keeps all rules; one that answers nothing that was asked is ignored.</summary>
    /// <param name="session">Has the identifiers.</param>
    /// <param name="packet">What came.</param>
    /// <param name="wires">What it answers, in its order.</param>
    public ProtocolViolation? HandleSubAck(ClientSession session, SubAckPacket packet, out IReadOnlyList<WireSubscription> wires)
    {
        wires = [];
        if (session.EndRequest(InFlightPhase.SubAck, packet.PacketId) is null || !_asked.TryGetValue(packet.PacketId, out var asked))
        {
            return null;
        }

        if (packet.ReasonCodes.Count != asked.Length)
        {
            return new ProtocolViolation(ReasonCode.ProtocolError, "MQTT5-3.8.4-6", "A SUBACK has not as many codes as its SUBSCRIBE had filters.");
        }

        for (var i = 0; i < asked.Length; i++)
        {
            if (!packet.ReasonCodes[i].IsFailure() && (byte)packet.ReasonCodes[i] > (byte)asked[i].QoS)
            {
                return new ProtocolViolation(ReasonCode.ProtocolError, "MQTT5-3.8.4-7", "A SUBACK grants a higher QoS than its SUBSCRIBE asked for.");
            }
        }

        // Only now: what a broken answer was for is asked for again on the next connection.
        _asked.Remove(packet.PacketId);
        wires = [.. asked.Select(a => a.Wire)];
        return null;
    }

    private void Ask(Outbound outbound, WireSubscription[] chunk, MqttVersion version)
    {
        if (!outbound.Session.CanRequest)
        {
            _left.AddRange(chunk);
            return;
        }

        var id = outbound.Session.Request(InFlightPhase.SubAck, 0);
        var packet = new SubscribePacket
        {
            PacketId = id,
            SubscriptionIdentifier = chunk[0].Identifier,
            UserProperties = chunk[0].Needed.UserProperties,
            Subscriptions = [.. chunk.Select(wire => wire.Request())],
        };
        if (!outbound.Fits(packet))
        {
            outbound.Session.EndRequest(InFlightPhase.SubAck, id);
            if (chunk.Length == 1)
            {
                chunk[0].IsListed = false;
                _tooLarge.Add(chunk[0]);
                return;
            }

            Ask(outbound, chunk[..(chunk.Length / 2)], version);
            Ask(outbound, chunk[(chunk.Length / 2)..], version);
            return;
        }

        foreach (var wire in chunk)
        {
            wire.HandleAsked(id);
        }

        _asked[id] = [.. chunk.Select(wire => (wire, wire.Needed.QoS))];
        outbound.WriteData(packet, version, Record(outbound.Session, chunk));
    }

    /// <summary>What an identifier stands for must be known wherever the session goes on; and that there is a session, since it holds messages from now on.</summary>
    private static long Record(ClientSession session, WireSubscription[] chunk)
    {
        foreach (var wire in chunk)
        {
            if (wire.Identifier is { } identifier && session.Journal is { } journal)
            {
                journal.Identified(identifier, wire.Filter.Text);
            }
        }

        return session.LastRecord;
    }
}
