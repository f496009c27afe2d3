using System.Security.Cryptography;
using System.Text;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;

namespace Nightjar.Connection;

/// <summary>What the engine is told, from the options.</summary>
internal static class EngineSettingsFactory
{
    public static EngineSettings Create(MqttClientOptions options)
    {
        var server = options.Servers[0];
        return new EngineSettings
        {
            Version = options.Version,
            AllowVersionFallback = options.AllowVersionFallback,
            ClientIdIsGenerated = options.ClientId is null,
            CleanStart = options.Session.CleanStart,
            ConnectTimeout = options.ConnectTimeout.Ticks,
            DrainTimeout = options.DrainTimeout.Ticks,
            FirstConnect = options.Reconnect.FirstConnect,
            Reconnect = options.Reconnect.Enabled,
            MinimumDelay = options.Reconnect.MinimumDelay.Ticks,
            MaximumDelay = options.Reconnect.MaximumDelay.Ticks,
            StableAfter = options.Reconnect.StableAfter.Ticks,
            ReceiveMaximum = options.Receive.ReceiveMaximum,
            HandlerWarning = ToTicks(options.Receive.HandlerWarning),
            HandlerTimeout = ToTicks(options.Receive.HandlerTimeout),
            MaximumPacketSize = options.Receive.MaximumPacketSize,
            MaximumStreamedPacketSize = options.Receive.MaximumStreamedPacketSize,
            OversizedPackets = options.Receive.OversizedPackets,
            TopicAliasMaximum = options.Receive.TopicAliasMaximum,
            Outbox = new OutboxSettings
            {
                Pace = ToSettings(options.Outbox.Pace),
                MaximumInFlight = options.Outbox.MaximumInFlight,
                MaximumTopicAliases = options.Outbox.MaximumTopicAliases,
                LowerQoS = options.Outbox.LowerQoS,
                MaximumQoS = options.Outbox.MaximumQoS,
                PublishTimeout = ToTicks(options.Outbox.PublishTimeout),
            },
            Connect = new ConnectPacket
            {
                ClientId = options.ClientId ?? NewClientId(),
                KeepAlive = (ushort)options.KeepAlive.TotalSeconds,
                UserName = server.Credentials?.UserName,
                Password = server.Credentials?.Password,
                Will = options.Will is { } will ? WillPacketBuilder.Build(will) : null,
                SessionExpiryInterval = ToSeconds(options.Session.ExpiryInterval),
                UserProperties = [.. options.UserProperties],
            },
            Random = Random.Shared.NextDouble,
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
    private static string NewClientId()
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
