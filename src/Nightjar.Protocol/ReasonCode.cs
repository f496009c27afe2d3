namespace Nightjar;

/// <summary>
/// The result of an operation, one enumeration for all packets (MQTT 5, 2.4). Values from 0x80 on are failures. The return
/// codes of 3.1 and 3.1.1 are read as their counterparts here.
/// </summary>
public enum ReasonCode : byte
{
    /// <summary>It succeeded. In DISCONNECT: Normal disconnection, the will is not sent. In SUBACK: Granted QoS 0.</summary>
    Success = 0x00,

    /// <summary>SUBACK: granted, QoS 1 at most.</summary>
    GrantedQoS1 = 0x01,

    /// <summary>SUBACK: granted, QoS 2 at most.</summary>
    GrantedQoS2 = 0x02,

    /// <summary>DISCONNECT: the will is to be sent all the same.</summary>
    DisconnectWithWillMessage = 0x04,

    /// <summary>PUBACK, PUBREC: accepted, and nobody subscribes to it.</summary>
    NoMatchingSubscribers = 0x10,

    /// <summary>UNSUBACK: there was no such subscription.</summary>
    NoSubscriptionExisted = 0x11,

    /// <summary>AUTH: the exchange goes on.</summary>
    ContinueAuthentication = 0x18,

    /// <summary>AUTH: the client starts over on a live connection.</summary>
    ReAuthenticate = 0x19,

    /// <summary>It failed, and the peer says no more than that.</summary>
    UnspecifiedError = 0x80,

    /// <summary>The packet could not be parsed.</summary>
    MalformedPacket = 0x81,

    /// <summary>The packet was well formed and against the rules.</summary>
    ProtocolError = 0x82,

    /// <summary>Valid, and not accepted by this implementation.</summary>
    ImplementationSpecificError = 0x83,

    /// <summary>The server does not speak this version of MQTT.</summary>
    UnsupportedProtocolVersion = 0x84,

    /// <summary>The server does not allow this client identifier.</summary>
    ClientIdentifierNotValid = 0x85,

    /// <summary>The server does not accept this user name or password.</summary>
    BadUserNameOrPassword = 0x86,

    /// <summary>The client may not do that.</summary>
    NotAuthorized = 0x87,

    /// <summary>The server is not available.</summary>
    ServerUnavailable = 0x88,

    /// <summary>The server is busy; try later.</summary>
    ServerBusy = 0x89,

    /// <summary>The client is banned.</summary>
    Banned = 0x8A,

    /// <summary>The server is shutting down.</summary>
    ServerShuttingDown = 0x8B,

    /// <summary>The authentication method is not supported, or not the one in use.</summary>
    BadAuthenticationMethod = 0x8C,

    /// <summary>Nothing was heard for one and a half times the keep-alive.</summary>
    KeepAliveTimeout = 0x8D,

    /// <summary>Another connection with this client identifier took the session.</summary>
    SessionTakenOver = 0x8E,

    /// <summary>The topic filter is well formed and not accepted.</summary>
    TopicFilterInvalid = 0x8F,

    /// <summary>The topic name is well formed and not accepted.</summary>
    TopicNameInvalid = 0x90,

    /// <summary>The packet identifier is in use: the two ends disagree about the session.</summary>
    PacketIdentifierInUse = 0x91,

    /// <summary>The packet identifier is not known: the two ends disagree about the session.</summary>
    PacketIdentifierNotFound = 0x92,

    /// <summary>More messages in flight than Receive Maximum allows.</summary>
    ReceiveMaximumExceeded = 0x93,

    /// <summary>A topic alias of 0 or above Topic Alias Maximum.</summary>
    TopicAliasInvalid = 0x94,

    /// <summary>A packet larger than Maximum Packet Size.</summary>
    PacketTooLarge = 0x95,

    /// <summary>The rate of messages is too high.</summary>
    MessageRateTooHigh = 0x96,

    /// <summary>A limit of the implementation or the administrator is exceeded.</summary>
    QuotaExceeded = 0x97,

    /// <summary>The connection is closed by an administrator.</summary>
    AdministrativeAction = 0x98,

    /// <summary>The payload is not of the format that it claims.</summary>
    PayloadFormatInvalid = 0x99,

    /// <summary>The server does not retain messages.</summary>
    RetainNotSupported = 0x9A,

    /// <summary>The server does not do this QoS.</summary>
    QoSNotSupported = 0x9B,

    /// <summary>For the time being, use another server.</summary>
    UseAnotherServer = 0x9C,

    /// <summary>The server has moved.</summary>
    ServerMoved = 0x9D,

    /// <summary>The server does not do shared subscriptions.</summary>
    SharedSubscriptionsNotSupported = 0x9E,

    /// <summary>Connections come too fast.</summary>
    ConnectionRateExceeded = 0x9F,

    /// <summary>The time that this connection was granted is over.</summary>
    MaximumConnectTime = 0xA0,

    /// <summary>The server does not do subscription identifiers.</summary>
    SubscriptionIdentifiersNotSupported = 0xA1,

    /// <summary>The server does not do wildcard subscriptions.</summary>
    WildcardSubscriptionsNotSupported = 0xA2,
}

/// <summary>What a <see cref="ReasonCode"/> means to the caller.</summary>
public static class ReasonCodes
{
    /// <summary>Whether the code says that the operation failed: 0x80 and above.</summary>
    public static bool IsFailure(this ReasonCode code) => (byte)code >= 0x80;
}
