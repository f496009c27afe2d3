namespace Nightjar;

/// <summary>What kind of failure ended an attempt or a connection, and so what can be done about it.</summary>
public enum FailureClass
{
    /// <summary>It may go away by itself: the network, a busy server, a restart.</summary>
    Transient,

    /// <summary>Somebody has to change something first: a ban, a version, a certificate.</summary>
    Permanent,

    /// <summary>The server did not take the credentials (0x86, 0x87; 4 and 5 before 5.0): others may do.</summary>
    CredentialsRejected,

    /// <summary>The server named another one to use (0x9C, 0x9D).</summary>
    Moved,

    /// <summary>Another client connected with the same client identifier (0x8E).</summary>
    TakenOver,
}
