namespace Nightjar.Testing;

/// <summary>What a simulation does to the client on purpose.</summary>
public enum SimulatedFault
{
    /// <summary>The connection breaks after some byte to the server; what is behind it, and everything to the client, is lost.</summary>
    CutToServer,

    /// <summary>The connection breaks after some byte to the client; what is behind it, and everything to the server, is lost.</summary>
    CutToClient,

    /// <summary>Bytes take much longer for a while.</summary>
    Delay,

    /// <summary>Bytes arrive in small pieces for a while.</summary>
    Split,

    /// <summary>The server ends its direction in order; what the client has sent still arrives, and is answered into the void.</summary>
    HalfClose,

    /// <summary>No byte moves for a while, shorter than the keep-alive interval.</summary>
    Stall,

    /// <summary>No byte moves for longer than keep-alive allows: the client gives the connection up, and the server notices when the next one comes.</summary>
    Silence,

    /// <summary>Another connection with the same client identifier takes the session over and leaves it at once.</summary>
    TakenOver,

    /// <summary>The broker is down for a while and comes back with its sessions.</summary>
    BrokerRestart,

    /// <summary>The broker is down for a while and comes back without sessions.</summary>
    BrokerRestartWithoutSessions,

    /// <summary>The connection breaks, and the next attempts are refused, by the network or by the broker, or not answered.</summary>
    RefusedConnect,

    /// <summary>The connection breaks within the next acknowledgement of the broker, CONNACK and SUBACK included.</summary>
    LostAcknowledgement,

    /// <summary>The broker's acknowledgements wait for a while, and everything else goes on.</summary>
    LateAcknowledgement,

    /// <summary>Handlers take seconds for a while.</summary>
    SlowHandler,

    /// <summary>Handlers throw for a while: they are called again, and in the end succeed, leave the message unacknowledged or refuse it.</summary>
    ThrowingHandler,

    /// <summary>Handlers do not return for many minutes.</summary>
    BlockedHandler,

    /// <summary>
    /// The client's process ends and another one begins soon: what it had handed to the network arrives, and some of what it had not committed is in the store all the same. Only with a store.
    /// </summary>
    ProcessCrash,

    /// <summary>The client's machine stops and comes back later: nothing of what was on its way arrives, and little is in the store but what was committed. Only with a store.</summary>
    PowerLoss,

    /// <summary>The disk of the store is full for a while. Only with a store.</summary>
    FullDisk,

    /// <summary>Commits take up to seconds for a while. Only with a store.</summary>
    SlowDisk,

    /// <summary>More messages at once than the outbox may hold. Only with a small outbox.</summary>
    FullOutbox,
}

/// <summary>How far a message of the client has come.</summary>
public enum OutboundPhase
{
    /// <summary>It waits for a connection or for quota, and has no packet identifier.</summary>
    Queued,

    /// <summary>QoS 0: on its way.</summary>
    QoS0Underway,

    /// <summary>QoS 1: PUBLISH is on its way.</summary>
    QoS1Sent,

    /// <summary>QoS 1: the server has it, and PUBACK did not arrive yet.</summary>
    QoS1Accepted,

    /// <summary>QoS 2: PUBLISH is on its way.</summary>
    QoS2Sent,

    /// <summary>QoS 2: the server has it, and PUBREC did not arrive yet.</summary>
    QoS2Accepted,

    /// <summary>QoS 2: PUBREC arrived, PUBREL is on its way.</summary>
    QoS2Released,

    /// <summary>QoS 2: the server released it, and PUBCOMP did not arrive yet.</summary>
    QoS2Completed,

    /// <summary>QoS 1 and 2: it was on its way on a connection that is gone, and was not sent again yet.</summary>
    AwaitsResend,

    /// <summary>It waits for room in the outbox.</summary>
    AwaitsRoom,

    /// <summary>It is in the outbox, and not committed to the store yet.</summary>
    AwaitsCommit,
}

/// <summary>How far a message to the client has come.</summary>
public enum InboundPhase
{
    /// <summary>The server keeps it until it may be sent, for the first time or again.</summary>
    Waiting,

    /// <summary>QoS 0: on its way.</summary>
    QoS0Underway,

    /// <summary>QoS 0: its handler runs, or it waits for it.</summary>
    QoS0Handling,

    /// <summary>QoS 1: PUBLISH is on its way.</summary>
    QoS1Underway,

    /// <summary>QoS 1: its handler runs, or it waits for it.</summary>
    QoS1Handling,

    /// <summary>QoS 1: handled, and PUBACK waits behind another.</summary>
    QoS1Handled,

    /// <summary>QoS 1: PUBACK is on its way.</summary>
    QoS1Acknowledged,

    /// <summary>QoS 2: PUBLISH is on its way.</summary>
    QoS2Underway,

    /// <summary>QoS 2: its handler runs, or it waits for it.</summary>
    QoS2Handling,

    /// <summary>QoS 2: handled, and PUBREC waits behind another.</summary>
    QoS2Handled,

    /// <summary>QoS 2: PUBREC is on its way.</summary>
    QoS2Acknowledged,

    /// <summary>QoS 2: PUBREL is on its way.</summary>
    QoS2Releasing,

    /// <summary>QoS 2: PUBCOMP is on its way.</summary>
    QoS2Completed,

    /// <summary>The server is done with it; it lies in the client's store until its handler is done.</summary>
    Stored,
}
