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

    /// <summary>The DISCONNECT. A generated client identifier is nobody's after this client: its session ends with it.</summary>
    public DisconnectPacket LastWord(EngineSettings settings) =>
        Final && settings.ClientIdIsGenerated && packet.SessionExpiryInterval is null && settings.Connect.SessionExpiryInterval > 0
            ? new DisconnectPacket
            {
                ReasonCode = packet.ReasonCode,
                ReasonString = packet.ReasonString,
                UserProperties = packet.UserProperties,
                SessionExpiryInterval = 0,
            }
            : packet;
}
