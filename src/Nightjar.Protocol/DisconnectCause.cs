namespace Nightjar;

/// <summary>Who or what ended a connection.</summary>
public enum DisconnectCause
{
    /// <summary>This side: it was asked to, or renewed the connection for a reason of its own.</summary>
    Local,

    /// <summary>The server: it sent DISCONNECT, or closed the connection in order.</summary>
    Remote,

    /// <summary>The network, or the silence of the server: nobody said anything.</summary>
    Network,

    /// <summary>The server broke a rule of the protocol, and was told.</summary>
    Protocol,
}
