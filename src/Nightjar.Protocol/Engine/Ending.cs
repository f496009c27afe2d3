using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Engine;

/// <summary>What comes after an end.</summary>
internal enum EndingKind : byte
{
    /// <summary>Down until asked to connect.</summary>
    Stop,

    /// <summary>The client is closed for good.</summary>
    Close,

    /// <summary>Another connection at once; this side wanted it.</summary>
    Renew,

    /// <summary>Down until the connection is needed.</summary>
    Rest,
}

/// <summary>An end of the connection that was asked for: after what is on its way, for as long as the drain timeout allows.</summary>
/// <param name="kind">What comes after it.</param>
/// <param name="packet">What is said last.</param>
/// <param name="reason">Why.</param>
/// <param name="deadline">Until when to wait for what is on its way.</param>
internal sealed class Ending(EndingKind kind, DisconnectPacket packet, CloseReason reason, long deadline)
{
    public long Deadline => deadline;

    public CloseReason Reason => reason;

    public EndingKind Kind { get; set; } = kind;

    public bool Final => Kind == EndingKind.Close;

    /// <summary>This side wanted it, and not the application: it gives way to whatever else happens.</summary>
    public bool IsOwn => Kind is EndingKind.Renew or EndingKind.Rest;

    /// <summary>DISCONNECT is in the lane, or will never be.</summary>
    public bool Sent { get; set; }

    /// <summary>Somebody asked for a connection meanwhile.</summary>
    public bool ConnectAfter { get; set; }

    /// <summary>And waits for no window.</summary>
    public bool ByHand { get; set; }

    /// <summary>
    /// The DISCONNECT. A generated client identifier is nobody's after this client: its session ends with it, unless a store keeps both. What is only said for people is left out if it does not
    /// fit [MQTT5-3.14.2-3, MQTT5-3.14.2-4].
    /// </summary>
    public DisconnectPacket LastWord(ServerSettings server, Outbound outbound)
    {
        var endsSession = Final && server.ClientIdIsGenerated && outbound.Session.Journal is null && server.Connect.SessionExpiryInterval > 0;
        var outlives = server.Connect.SessionExpiryInterval > 0; // one that CONNECT ended with the connection cannot be kept now [MQTT5-3.14.2-2]
        var fits = outbound.Fits(packet);
        return new DisconnectPacket
        {
            ReasonCode = packet.ReasonCode,
            ReasonString = fits ? packet.ReasonString : null,
            UserProperties = fits ? packet.UserProperties : [],
            SessionExpiryInterval = outlives ? packet.SessionExpiryInterval ?? (endsSession ? 0u : null) : null,
        };
    }
}
