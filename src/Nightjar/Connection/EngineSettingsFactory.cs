using System.Security.Cryptography;
using System.Text;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;

namespace Nightjar.Connection;

/// <summary>What the engine is told, from the options.</summary>
internal static class EngineSettingsFactory
{
    /// <summary>Everything that the engine is told.</summary>
    /// <param name="options">Validated.</param>
    /// <param name="generatedId">The client identifier, where the options give none.</param>
    public static EngineSettings Create(MqttClientOptions options, string generatedId)
    {
        var servers = options.Servers.Select(server => ToServer(options, server, generatedId)).ToArray();
        var reconnect = options.Reconnect;
        return new EngineSettings
        {
            Tag = options,
            Servers = servers,
            Connect = servers[0].Connect,
            Version = options.Version,
            AllowVersionFallback = options.AllowVersionFallback,
            ConnectTimeout = options.ConnectTimeout.Ticks,
            DrainTimeout = options.DrainTimeout.Ticks,
            FirstConnect = reconnect.FirstConnect,
            Reconnect = reconnect.Enabled && reconnect.Policy is not ReconnectPolicy.NoReconnecting,
            MinimumDelay = reconnect.MinimumDelay.Ticks,
            MaximumDelay = reconnect.MaximumDelay.Ticks,
            StableAfter = reconnect.StableAfter.Ticks,
            Retry = new ReconnectSettings
            {
                Jitter = reconnect.Jitter,
                Delays = reconnect.Policy is ReconnectPolicy.ListedDelays list ? [.. list.Listed.Select(delay => delay.Ticks)] : null,
                AsksForDelay = reconnect.Policy is not (null or ReconnectPolicy.ListedDelays or ReconnectPolicy.NoReconnecting),
                PermanentFailures = reconnect.PermanentFailures,
                Takeover = reconnect.Takeover,
                ServerOrder = reconnect.ServerOrder,
                FailBackAfter = reconnect.FailBackAfter?.Ticks ?? long.MaxValue,
                AllowedRedirects = [.. reconnect.AllowedRedirects],
            },
            Connection = new ConnectionSettings
            {
                PreparesAttempts = options.Connection.ReadinessGate is not null || options.Connection.BeforeConnect is not null,
                RenewsCredentials = options.Connection.BeforeConnect is not null,
                MaximumAge = options.Connection.MaximumAge?.Ticks ?? long.MaxValue,
                IdleTimeout = options.Connection.IdleTimeout?.Ticks ?? long.MaxValue,
                HasSchedule = options.Connection.Schedule is not null,
                ScheduleJitter = options.Connection.Schedule?.Jitter.Ticks ?? 0,
            },
            ReceiveMaximum = options.Receive.ReceiveMaximum,
            HandlerWarning = ToTicks(options.Receive.HandlerWarning),
            HandlerTimeout = ToTicks(options.Receive.HandlerTimeout),
            MaximumPacketSize = options.Receive.MaximumPacketSize,
            MaximumStreamedPacketSize = options.Receive.MaximumStreamedPacketSize,
            OversizedPackets = options.Receive.OversizedPackets,
            TopicAliasMaximum = options.Receive.TopicAliasMaximum,
            HasStore = options.Session.Store is not null,
            SubscriptionIdentifiers = options.Session.SubscriptionIdentifiers,
            MaximumRequests = options.Requests.MaximumPending,
            Outbox = new OutboxSettings
            {
                Pace = ToSettings(options.Outbox.Pace),
                MaximumInFlight = options.Outbox.MaximumInFlight,
                MaximumTopicAliases = options.Outbox.MaximumTopicAliases,
                LowerQoS = options.Outbox.LowerQoS,
                MaximumQoS = options.Outbox.MaximumQoS,
                PublishTimeout = ToTicks(options.Outbox.PublishTimeout),
                MaximumMessages = options.Outbox.MaximumMessages,
                MaximumBytes = options.Outbox.MaximumBytes,
                MaximumAge = ToTicks(options.Outbox.MaximumAge),
                Overflow = options.Outbox.Overflow,
                RememberedIds = options.Outbox.RememberedIds,
            },
            Random = Random.Shared.NextDouble,
        };
    }

    /// <summary>One server, with what is said to it.</summary>
    public static ServerSettings ToServer(MqttClientOptions options, MqttServer server, string generatedId)
    {
        var session = server.Session ?? options.Session;
        var clientId = server.ClientId ?? options.ClientId;
        return new ServerSettings
        {
            Name = server.ToString(),
            Host = server.OpenStream is null ? server.Host : "",
            Port = server.Port,
            UsesTls = server.UsesTls,
            ClientIdIsGenerated = clientId is null,
            CleanStart = session.CleanStart,
            SessionGroup = session.SharedAcrossServers ? "all servers" : null,
            Tag = server,
            Connect = new ConnectPacket
            {
                ClientId = clientId ?? generatedId,
                KeepAlive = (ushort)options.KeepAlive.TotalSeconds,
                UserName = server.Credentials?.UserName,
                Password = server.Credentials?.Password,
                Will = options.Will is { } will ? WillPacketBuilder.Build(will) : null,
                SessionExpiryInterval = ToSeconds(session.ExpiryInterval),
                RequestResponseInformation = options.Requests.UseResponseInformation,
                UserProperties = [.. options.UserProperties],
            },
        };
    }

    private static PaceSettings ToSettings(PaceOptions pace) => new()
    {
        Interval = pace.MessagesPerSecond > 0 ? Math.Max(1, (long)(TimeSpan.TicksPerSecond / pace.MessagesPerSecond)) : 0,
        Burst = pace.Burst,
        SlowDown = pace.SlowDown.Ticks,
        MaximumDelay = pace.MaximumDelay.Ticks,
    };

    /// <summary>As the wire says it; 0xFFFFFFFF: never expires (MQTT 5, 3.1.2.11.2).</summary>
    public static uint ToSeconds(TimeSpan interval) => interval == Timeout.InfiniteTimeSpan ? uint.MaxValue : (uint)interval.TotalSeconds;

    private static long ToTicks(TimeSpan time) => time == Timeout.InfiniteTimeSpan ? long.MaxValue : time.Ticks;

    /// <summary>80 random bits: no two clients of this world get the same. 19 characters, within the 23 that every server takes.</summary>
    public static string NewClientId()
    {
        const string Alphabet = "0123456789abcdefghijklmnopqrstuv"; // base 32: five bits each
        Span<byte> random = stackalloc byte[16];
        RandomNumberGenerator.Fill(random);
        var id = new StringBuilder("nj-", 19);
        foreach (var value in random)
        {
            id.Append(Alphabet[value % Alphabet.Length]);
        }

        return id.ToString();
    }
}
