namespace Nightjar.Protocol.Engine;

/// <summary>Where the connection is.</summary>
internal enum ConnectionPhase : byte
{
    /// <summary>There is none, and none is on its way.</summary>
    None,

    /// <summary>The host prepares an attempt: it may wait, and no transport is opened.</summary>
    Preparing,

    /// <summary>The host opens a transport.</summary>
    Dialing,

    /// <summary>CONNECT is sent.</summary>
    Handshake,

    /// <summary>CONNACK came.</summary>
    Connected,

    /// <summary>DISCONNECT is in the lane; the transport closes once it is written.</summary>
    Disconnecting,

    /// <summary>The next attempt waits for its time.</summary>
    Waiting,
}
