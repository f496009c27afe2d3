using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Engine;

/// <summary>An end of the connection that was asked for: after what is on its way, for as long as the drain timeout allows.</summary>
/// <param name="packet">What the application wants to say.</param>
/// <param name="deadline">Until when to wait for what is on its way.</param>
internal sealed class Ending(DisconnectPacket packet, long deadline)
{
    public long Deadline => deadline;

    /// <summary>The client closes for good; otherwise it stays down until asked to connect.</summary>
    public bool Final { get; set; }

    /// <summary>DISCONNECT is in the lane, or will never be.</summary>
    public bool Sent { get; set; }

    /// <summary>Somebody asked for a connection meanwhile.</summary>
    public bool ConnectAfter { get; set; }

    /// <summary>
    /// The DISCONNECT. A generated client identifier is nobody's after this client: its session ends with it. What is only said for people is left out if it does not
    /// fit [MQTT5-3.14.2-3, MQTT5-3.14.2-4].
    /// </summary>
    public DisconnectPacket LastWord(EngineSettings settings, Outbound outbound)
    {
        var endsSession = Final && settings.ClientIdIsGenerated && settings.Connect.SessionExpiryInterval > 0;
        var outlives = settings.Connect.SessionExpiryInterval > 0; // one that CONNECT ended with the connection cannot be kept now [MQTT5-3.14.2-2]
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
