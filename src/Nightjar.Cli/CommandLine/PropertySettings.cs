using System.Globalization;

namespace Nightjar.Cli.CommandLine;

/// <summary>
/// The flag <c>-D PACKET NAME VALUE</c>, and <c>-D PACKET user-property KEY VALUE</c>: properties of MQTT 5 on the packets that the tool sends. Packet and
/// property names are those of mosquitto_pub, in any case.
/// </summary>
internal sealed class PropertySettings
{
    private const string User = "user-property";

    private static readonly Dictionary<string, Limits> Values = new(StringComparer.Ordinal)
    {
        ["authentication-data"] = Limits.Text,
        ["authentication-method"] = Limits.Text,
        ["content-type"] = Limits.Text,
        ["correlation-data"] = Limits.Text,
        ["maximum-packet-size"] = new Limits(1, uint.MaxValue),
        ["message-expiry-interval"] = new Limits(0, uint.MaxValue),
        ["payload-format-indicator"] = new Limits(0, 1),
        ["reason-string"] = Limits.Text,
        ["receive-maximum"] = new Limits(1, ushort.MaxValue),
        ["request-problem-information"] = new Limits(0, 1),
        ["request-response-information"] = new Limits(0, 1),
        ["response-topic"] = Limits.Text,
        ["session-expiry-interval"] = new Limits(0, uint.MaxValue),
        ["subscription-identifier"] = new Limits(1, 268_435_455),
        ["topic-alias"] = new Limits(1, ushort.MaxValue),
        ["topic-alias-maximum"] = new Limits(0, ushort.MaxValue),
        [User] = Limits.Text,
        ["will-delay-interval"] = new Limits(0, uint.MaxValue),
    };

    // What the specification allows in each packet that a client sends (MQTT 5, 2.2.2.2).
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["connect"] =
        [
            "authentication-data", "authentication-method", "maximum-packet-size", "receive-maximum", "request-problem-information",
            "request-response-information", "session-expiry-interval", "topic-alias-maximum", User,
        ],
        ["publish"] =
        [
            "content-type", "correlation-data", "message-expiry-interval", "payload-format-indicator", "response-topic", "topic-alias", User,
        ],
        ["subscribe"] = ["subscription-identifier", User],
        ["unsubscribe"] = [User],
        ["disconnect"] = ["reason-string", "session-expiry-interval", User],
        ["will"] =
        [
            "content-type", "correlation-data", "message-expiry-interval", "payload-format-indicator", "response-topic", User, "will-delay-interval",
        ],
        ["auth"] = [],
        ["puback"] = [],
        ["pubrec"] = [],
        ["pubrel"] = [],
        ["pubcomp"] = [],
    };

    // Allowed by the specification, and not sent by the library yet.
    private static readonly HashSet<(string Packet, string Name)> NotYet =
    [
        ("connect", "authentication-data"), ("connect", "authentication-method"),
        ("connect", "request-problem-information"), ("connect", "request-response-information"),
        ("unsubscribe", User),
    ];

    private readonly Dictionary<string, PropertyList> _packets = new(StringComparer.Ordinal);

    public PropertySettings() => Flag = new Flag(
        "-D --property", "PACKET NAME VALUE", "property of MQTT 5; user-property takes KEY VALUE; may be repeated", Read);

    public Flag Flag { get; }

    /// <summary>Whether there is any: then MQTT 5 is what is asked for.</summary>
    public bool Any => _packets.Count > 0;

    public PropertyList Connect => Of("connect");

    public PropertyList Publish => Of("publish");

    public PropertyList Subscribe => Of("subscribe");

    public PropertyList Disconnect => Of("disconnect");

    public PropertyList Will => Of("will");

    private PropertyList Of(string packet) => _packets.GetValueOrDefault(packet) ?? new PropertyList();

    private void Read(ArgumentReader arguments)
    {
        var packet = arguments.Take("packet").ToLowerInvariant();
        var name = arguments.Take("property name").ToLowerInvariant();
        if (!Allowed.TryGetValue(packet, out var allowed))
        {
            throw new UsageException($"-D: no packet is called '{packet}'; it takes {string.Join(", ", Allowed.Where(pair => pair.Value.Length > 0).Select(pair => pair.Key))}.");
        }

        if (!Values.TryGetValue(name, out var range))
        {
            throw new UsageException($"-D: no property is called '{name}'.");
        }

        if (allowed.Length == 0 || NotYet.Contains((packet, name)))
        {
            throw new UsageException($"-D: {name} of {packet} is not supported yet.");
        }

        if (!allowed.Contains(name))
        {
            throw new UsageException($"-D: {name} is not allowed for {packet}; it takes {string.Join(", ", allowed)}.");
        }

        if (!_packets.TryGetValue(packet, out var list))
        {
            _packets.Add(packet, list = new PropertyList());
        }

        if (name == User)
        {
            list.Add(new UserProperty(arguments.Take("key"), arguments.Take("value")));
            return;
        }

        var value = arguments.Take("value");
        if (range != Limits.Text
            && !(uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= range.Minimum && number <= range.Maximum))
        {
            throw new UsageException($"-D: {name} takes a whole number from {range.Minimum} to {range.Maximum}, not '{value}'.");
        }

        if (!list.TryAdd(name, name == "response-topic" ? FlagValue.Topic("-D response-topic", value) : value))
        {
            throw new UsageException($"-D: {name} of {packet} was given twice.");
        }
    }

    private readonly record struct Limits(uint Minimum, uint Maximum)
    {
        public static Limits Text { get; } = new(1, 0);
    }
}
