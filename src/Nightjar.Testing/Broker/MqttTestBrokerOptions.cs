using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Nightjar.Testing;

/// <summary>
/// How a <see cref="MqttTestBroker"/> behaves. Where it listens is read when it is made; the rest when a client connects, so that
/// a test may change it for the next connection.
/// </summary>
public sealed class MqttTestBrokerOptions
{
    /// <summary>Whether it opens a port at all; without one, clients come by <see cref="MqttTestBroker.ConnectInMemory"/>. Default: true.</summary>
    public bool Listen { get; set; } = true;

    /// <summary>Where it listens. Default: 127.0.0.1. It is for development: think before you open it to a network.</summary>
    public IPAddress Address { get; set; } = IPAddress.Loopback;

    /// <summary>Default: 0, a free port.</summary>
    public int Port { get; set; }

    /// <summary>With its private key: the port then speaks TLS. Default: null, plain TCP.</summary>
    public X509Certificate2? ServerCertificate { get; set; }

    /// <summary>Asks clients for a certificate and judges it. Default: null, none is asked for.</summary>
    public RemoteCertificateValidationCallback? ValidateClientCertificate { get; set; }

    /// <summary>Of keep-alive, expiry and delayed wills. Default: the system's clock.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>The versions that it speaks; it refuses others as a server that knows no better. Default: 3.1, 3.1.1 and 5.0.</summary>
    public ISet<MqttVersion> Versions { get; } = new HashSet<MqttVersion> { MqttVersion.Mqtt31, MqttVersion.Mqtt311, MqttVersion.Mqtt5 };

    /// <summary>User names and passwords; if there are any, a client needs one of them. Default: empty.</summary>
    public IDictionary<string, string> Users { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// Decides on each CONNECT, after <see cref="Users"/>: <see cref="ReasonCode.Success"/>, or why not. Called from the connection's task, without a lock
    /// held. Default: null, everybody may.
    /// </summary>
    public Func<BrokerLogin, ReasonCode>? Authenticate { get; set; }

    /// <summary>
    /// Whether a client (its identifier) may publish to a topic; the message is else dropped, with reason code 0x87 in 5.0. Called without a
    /// lock held. Default: null, it may.
    /// </summary>
    public Func<string, string, bool>? MayPublish { get; set; }

    /// <summary>
    /// Whether a client (its identifier) may subscribe to a filter; else SUBACK says 0x87 (0x80 before 5.0). Called without a lock held.
    /// Default: null, it may.
    /// </summary>
    public Func<string, string, bool>? MaySubscribe { get; set; }

    /// <summary>The highest QoS. Default: 2. Below it, a 5.0 client that goes higher is disconnected with 0x9B.</summary>
    public QoS MaximumQoS { get; set; } = QoS.ExactlyOnce;

    /// <summary>How many messages of QoS 1 and 2 a client may have in flight towards the broker. Default: 65,535.</summary>
    public ushort ReceiveMaximum { get; set; } = ushort.MaxValue;

    /// <summary>The largest packet in bytes, at least 1. Default: null, as large as MQTT can say.</summary>
    public int? MaximumPacketSize { get; set; }

    /// <summary>How many topic aliases a client may use. Default: 16.</summary>
    public ushort TopicAliasMaximum { get; set; } = 16;

    /// <summary>Whether the broker uses topic aliases towards clients that allow them: one per topic, first come, first served. Default: false.</summary>
    public bool UseTopicAliases { get; set; }

    /// <summary>Default: true.</summary>
    public bool RetainAvailable { get; set; } = true;

    /// <summary>Default: true.</summary>
    public bool WildcardSubscriptionAvailable { get; set; } = true;

    /// <summary>Default: true.</summary>
    public bool SharedSubscriptionAvailable { get; set; } = true;

    /// <summary>Default: true.</summary>
    public bool SubscriptionIdentifiersAvailable { get; set; } = true;

    /// <summary>Seconds that replace the client's keep-alive (5.0). Default: null, the client's stands.</summary>
    public ushort? ServerKeepAlive { get; set; }

    /// <summary>The longest Session Expiry Interval in seconds; a client that asks for more gets this (5.0). Default: null, no limit.</summary>
    public uint? MaximumSessionExpiryInterval { get; set; }

    /// <summary>
    /// The identifier for a client that has none. Default: <c>auto-1</c>, <c>auto-2</c> and so on. Called without a lock held.
    /// </summary>
    public Func<string>? AssignClientId { get; set; }

    /// <summary>Sent to a 5.0 client that asks for it. Default: null, none.</summary>
    public string? ResponseInformation { get; set; }

    /// <summary>
    /// How many bytes may wait for one client that does not read; beyond it QoS 0 messages for that client are dropped and counted, and those of QoS 1
    /// and 2 stay in its session. Other clients never wait. Default: 64 MiB.
    /// </summary>
    public int MaximumQueuedBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>How many messages of QoS 1 and 2 may wait in one session; beyond it new ones are dropped and counted. Default: 1,000,000.</summary>
    public int MaximumQueuedMessages { get; set; } = 1_000_000;

    /// <summary>Whether <see cref="MqttTestBroker.Published"/> keeps messages; turn it off for a broker that runs long. Default: true.</summary>
    public bool RecordPublished { get; set; } = true;

    /// <summary>How long the broker's <c>WaitFor</c> methods wait before they fail, in real time. Default: 10 s.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(10);
}
