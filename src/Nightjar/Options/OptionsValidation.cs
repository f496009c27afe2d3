using System.Security.Authentication;
using System.Text;
using System.Text.Unicode;
using Nightjar.Transport;

namespace Nightjar;

/// <summary>The rules of <see cref="MqttClientOptions"/>, all of them checked together.</summary>
internal static class OptionsValidation
{
    /// <summary>MQTT 3.1: a client identifier has 1 to 23 characters.</summary>
    private const int Mqtt31ClientIdLength = 23;

    // Remaining Length says at most 268,435,455 (2.1.4); the fixed header adds five bytes.
    private const int LargestPacket = 268_435_460;

    // The smallest packets that must fit: CONNACK without properties and acknowledgements, with a little room.
    private const int SmallestPacketLimit = 16;

    /// <summary>RFC 7301, 3.1: the length of a protocol name is one byte.</summary>
    private const int AlpnNameLength = 255;

#pragma warning disable CA5398 // naming the accepted versions is the point: all others are refused
    private const SslProtocols SafeProtocols = SslProtocols.Tls12 | SslProtocols.Tls13;
#pragma warning restore CA5398

    /// <summary>Throws one <see cref="ArgumentException"/> that lists every conflict.</summary>
    public static void ThrowIfInvalid(MqttClientOptions options)
    {
        var conflicts = new OptionConflicts();
        CheckClient(options, conflicts);
        CheckSession(options, conflicts);
        CheckReconnect(options, conflicts);
        SupervisionRules.Check(options.Connection, conflicts);
        CheckOutbox(options.Outbox, conflicts);
        CheckReceive(options.Receive, conflicts);
        CheckRequests(options.Requests, conflicts);
        CheckWill(options.Will, conflicts);
        conflicts.Require(options.Servers.Count > 0, "Servers is empty; add one, for instance new MqttServer(\"mqtt://localhost\").");
        foreach (var (index, server) in options.Servers.Index())
        {
            CheckServer($"Servers[{index}]", server, options, conflicts);
        }

        conflicts.ThrowIfAny("These options cannot work", nameof(options));
    }

    private static void CheckClient(MqttClientOptions options, OptionConflicts conflicts)
    {
        conflicts.Defined(nameof(options.Version), options.Version);
        conflicts.Utf8(nameof(options.ClientId), options.ClientId);
        if (options.Version == MqttVersion.Mqtt31 && options.ClientId is { } clientId)
        {
            conflicts.Require(
                clientId.Length is > 0 and <= Mqtt31ClientIdLength,
                $"ClientId has {clientId.Length} characters; MQTT 3.1 wants 1 to {Mqtt31ClientIdLength}. Shorten it, or leave it null for a generated one.");
        }

        conflicts.Seconds(nameof(options.KeepAlive), options.KeepAlive, maximum: ushort.MaxValue);
        conflicts.Timer(nameof(options.ConnectTimeout), options.ConnectTimeout);
        conflicts.Timer(nameof(options.DrainTimeout), options.DrainTimeout, orZero: true);
        conflicts.UserProperties(nameof(options.UserProperties), options.UserProperties);
        conflicts.NotNull(nameof(options.TimeProvider), options.TimeProvider);
        conflicts.NotNull(nameof(options.HandlerContext), options.HandlerContext);
        conflicts.NotNull(nameof(options.Telemetry), options.Telemetry);
    }

    private static void CheckSession(MqttClientOptions options, OptionConflicts conflicts)
    {
        conflicts.NotNull(nameof(options.Session), options.Session);
        if (options.Session is { } session)
        {
            conflicts.Seconds("Session.ExpiryInterval", session.ExpiryInterval, orForever: true);
            conflicts.Require(
                options.Version == MqttVersion.Mqtt5 || options.ClientId != "" || session.CleanStart != false,
                "ClientId is empty and Session.CleanStart false; a server keeps no session for a client without a name [MQTT311-3.1.3-7]. Set a ClientId.");
        }
    }

    private static void CheckRequests(RequestOptions? requests, OptionConflicts conflicts)
    {
        conflicts.NotNull("Requests", requests);
        if (requests is null)
        {
            return;
        }

        conflicts.Timer("Requests.Timeout", requests.Timeout, orForever: true);
        conflicts.Defined("Requests.ResponseQoS", requests.ResponseQoS);
        conflicts.NotNull("Requests.ResponseTopicPrefix", requests.ResponseTopicPrefix);
        if (requests.ResponseTopicPrefix is { } prefix)
        {
            conflicts.Topic("Requests.ResponseTopicPrefix", prefix);
            conflicts.Require(!prefix.EndsWith('/'), "Requests.ResponseTopicPrefix ends with '/'; leave that out, the client adds one.");
        }

        conflicts.Require(requests.MaximumPending >= 1, $"Requests.MaximumPending is {requests.MaximumPending}; it must be at least 1.");
    }

    private static void CheckReconnect(MqttClientOptions options, OptionConflicts conflicts)
    {
        conflicts.NotNull("Reconnect", options.Reconnect);
        if (options.Reconnect is { } reconnect)
        {
            conflicts.Defined("Reconnect.FirstConnect", reconnect.FirstConnect);
            conflicts.Timer("Reconnect.MinimumDelay", reconnect.MinimumDelay);
            conflicts.Timer("Reconnect.MaximumDelay", reconnect.MaximumDelay);
            conflicts.Require(reconnect.MinimumDelay <= reconnect.MaximumDelay, "Reconnect.MinimumDelay is longer than Reconnect.MaximumDelay; swap or change them.");
            conflicts.Timer("Reconnect.StableAfter", reconnect.StableAfter, orZero: true);
            SupervisionRules.Check(reconnect, options.Servers.Count, conflicts);
        }
    }

    private static void CheckOutbox(OutboxOptions? outbox, OptionConflicts conflicts)
    {
        conflicts.NotNull("Outbox", outbox);
        if (outbox is not null)
        {
            conflicts.Timer("Outbox.PublishTimeout", outbox.PublishTimeout, orForever: true);
            conflicts.Range("Outbox.MaximumInFlight", outbox.MaximumInFlight, 1, ushort.MaxValue);
            conflicts.Range("Outbox.MaximumTopicAliases", outbox.MaximumTopicAliases, 0, ushort.MaxValue);
            conflicts.Defined("Outbox.MaximumQoS", outbox.MaximumQoS);
            CheckPace(outbox.Pace, conflicts);
        }
    }

    private static void CheckPace(PaceOptions? pace, OptionConflicts conflicts)
    {
        conflicts.NotNull("Outbox.Pace", pace);
        if (pace is not null)
        {
            conflicts.Require(
                pace.MessagesPerSecond is 0 or (>= 0.001 and <= 1_000_000),
                $"Outbox.Pace.MessagesPerSecond is {pace.MessagesPerSecond}; it must be 0 for no limit, or from 0.001 to 1,000,000.");
            conflicts.Range("Outbox.Pace.Burst", pace.Burst, 1, 1_000_000);
            conflicts.Require(
                pace.MessagesPerSecond != 0 || pace.Burst <= 1,
                $"Outbox.Pace.Burst is {pace.Burst}, and without a rate there is nothing to burst through; set Outbox.Pace.MessagesPerSecond, or leave Burst at 1.");
            conflicts.Timer("Outbox.Pace.SlowDown", pace.SlowDown, orZero: true);
            conflicts.Timer("Outbox.Pace.MaximumDelay", pace.MaximumDelay);
        }
    }

    private static void CheckReceive(ReceiveOptions? receive, OptionConflicts conflicts)
    {
        conflicts.NotNull("Receive", receive);
        if (receive is not null)
        {
            conflicts.Range("Receive.ReceiveMaximum", receive.ReceiveMaximum, 1, ushort.MaxValue);
            conflicts.Range("Receive.MaximumPacketSize", receive.MaximumPacketSize, SmallestPacketLimit, LargestPacket);
            conflicts.Range("Receive.MaximumStreamedPacketSize", receive.MaximumStreamedPacketSize, 0, LargestPacket);
            conflicts.Require(
                receive.MaximumStreamedPacketSize <= 0 || receive.MaximumStreamedPacketSize > receive.MaximumPacketSize,
                $"Receive.MaximumStreamedPacketSize is {receive.MaximumStreamedPacketSize}, no more than Receive.MaximumPacketSize ({receive.MaximumPacketSize}), so it would allow nothing more; raise it, or set it to 0.");
            conflicts.Defined("Receive.OversizedPackets", receive.OversizedPackets);
            conflicts.Range("Receive.TopicAliasMaximum", receive.TopicAliasMaximum, 0, ushort.MaxValue);
            conflicts.Range("Receive.HandlerRetries", receive.HandlerRetries, 0, int.MaxValue);
            conflicts.Timer("Receive.HandlerWarning", receive.HandlerWarning, orForever: true);
            conflicts.Timer("Receive.HandlerTimeout", receive.HandlerTimeout, orForever: true);
            conflicts.Require(
                receive.Budget >= receive.MaximumPacketSize,
                $"Receive.Budget is {receive.Budget}, less than Receive.MaximumPacketSize ({receive.MaximumPacketSize}), so the largest message would never fit; raise the one or lower the other.");
        }
    }

    private static void CheckWill(WillMessage? will, OptionConflicts conflicts)
    {
        if (will is null)
        {
            return;
        }

        conflicts.Topic("Will.Topic", will.Topic);
        conflicts.Binary("Will.Payload", will.Payload);
        conflicts.Defined("Will.QoS", will.QoS);
        conflicts.Seconds("Will.Delay", will.Delay);
        conflicts.Seconds("Will.TimeToLive", will.TimeToLive ?? TimeSpan.Zero);
        conflicts.Defined("Will.PayloadFormat", will.PayloadFormat ?? PayloadFormat.Unspecified);
        conflicts.Require(
            will.PayloadFormat != PayloadFormat.Utf8 || Utf8.IsValid(will.Payload.Span),
            "Will.PayloadFormat is Utf8 and Will.Payload is no UTF-8 text; set PayloadFormat to Unspecified.");
        conflicts.Utf8("Will.ContentType", will.ContentType);
        conflicts.Binary("Will.CorrelationData", will.CorrelationData);
        conflicts.UserProperties("Will.UserProperties", will.UserProperties);
        if (will.ResponseTopic is { } responseTopic)
        {
            conflicts.Topic("Will.ResponseTopic", responseTopic);
        }
    }

    private static void CheckServer(string name, MqttServer? server, MqttClientOptions options, OptionConflicts conflicts)
    {
        var version = options.Version;
        conflicts.NotNull(name, server);
        if (server is null)
        {
            return;
        }

        if (server.Credentials is { } credentials)
        {
            conflicts.Utf8($"{name}.Credentials.UserName", credentials.UserName);
            conflicts.Binary($"{name}.Credentials.Password", credentials.Password);
            conflicts.Require(
                version == MqttVersion.Mqtt5 || credentials.UserName is not null || credentials.Password is null,
                $"{name}.Credentials has a password and no user name, which only MQTT 5.0 can send [MQTT311-3.1.2-22]; add a user name.");
        }

        SupervisionRules.Check(name, server, version, conflicts);
        if (server.ClientId is not null || server.Session is not null)
        {
            conflicts.Require(
                version == MqttVersion.Mqtt5 || (server.ClientId ?? options.ClientId) != "" || (server.Session ?? options.Session)?.CleanStart != false,
                $"{name} has an empty ClientId and a CleanStart of false, if need be those of the client; a server keeps no session for a client without a name [MQTT311-3.1.3-7]. Set a ClientId.");
        }

        conflicts.Require(!server.UsesTls || TlsFeature.IsSupported, $"{name} is {server}, but {TlsFeature.SwitchedOff}");
        conflicts.NotNull($"{name}.Tcp", server.Tcp);
        if (server.Tcp?.UserTimeout is { } userTimeout)
        {
            conflicts.Timer($"{name}.Tcp.UserTimeout", userTimeout, orForever: true);
        }

        conflicts.NotNull($"{name}.Tls", server.Tls);
        if (server.Tls is { } tls)
        {
            CheckTls($"{name}.Tls", tls, conflicts);
            conflicts.Require(
                server.UsesTls || !SaysHowToEncrypt(tls),
                $"{name}.Tls is set, but a connection to {server} is not encrypted; write mqtts:// to encrypt it, or leave Tls alone.");
        }
    }

    // The two permissions are no sign that encryption was meant: they ask for less, not for more.
    private static bool SaysHowToEncrypt(TlsOptions tls) =>
        tls.CaFile is not null || tls.CertificateAuthorities.Count > 0 || tls.CertificateFile is not null || tls.KeyFile is not null
        || tls.Configure is not null || tls.TargetHost is not null || tls.Protocols != SslProtocols.None || tls.ApplicationProtocols.Count > 0;

    private static void CheckTls(string name, TlsOptions tls, OptionConflicts conflicts)
    {
        conflicts.Require((tls.Protocols & ~SafeProtocols) == SslProtocols.None, $"{name}.Protocols is {tls.Protocols}; only Tls12, Tls13, both, or None for the system's choice are safe.");
        conflicts.Require(tls.KeyFile is null || tls.CertificateFile is not null, $"{name}.KeyFile is set without CertificateFile; set both, or neither.");
        conflicts.Require(tls.KeyPassword is null || tls.CertificateFile is not null, $"{name}.KeyPassword is set without CertificateFile; set both, or neither.");
        foreach (var (option, value) in new[] { ("CaFile", tls.CaFile), ("CertificateFile", tls.CertificateFile), ("KeyFile", tls.KeyFile), ("TargetHost", tls.TargetHost) })
        {
            conflicts.Require(value is null || !string.IsNullOrWhiteSpace(value), $"{name}.{option} is blank; set a value, or leave it null.");
        }

        foreach (var (index, protocol) in tls.ApplicationProtocols.Index())
        {
            conflicts.Require(
                protocol is not null && Encoding.UTF8.GetByteCount(protocol) is > 0 and <= AlpnNameLength,
                $"{name}.ApplicationProtocols[{index}] must be 1 to {AlpnNameLength} bytes long.");
        }
    }
}
