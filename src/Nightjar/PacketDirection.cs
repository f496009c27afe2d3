namespace Nightjar;

/// <summary>Which way a packet goes.</summary>
public enum PacketDirection
{
    /// <summary>From this client to the server.</summary>
    Sent,

    /// <summary>From the server to this client.</summary>
    Received,
}
