using Nightjar.Cli.Output;
using Nightjar.Protocol.Topics;

namespace Nightjar.Cli.CommandLine;

/// <summary>The flags of <c>nightjar sub</c>.</summary>
internal sealed class SubSettings : ConnectionSettings
{
    private const string Formats = """
          %t topic  %p payload  %x %X payload in hexadecimal  %l its length  %q QoS  %r retained: 1 or 0  %m packet identifier
          %j JSON, the payload as a string  %J JSON, the payload as JSON  %I time, ISO 8601  %U time, seconds since 1970
          %A topic alias  %C content type  %D correlation data  %E message expiry  %F payload format  %P user properties
          %R response topic  %S subscription identifier  %% a percent sign
          %-10t padded on the right  %10t on the left  %010l with zeros  %.10t cut after ten bytes
          @X the conversion %X of strftime(3), local time  @N nanoseconds  @@ an at sign
          \\ \0 \a \e \n \r \t \v  single characters
        """;

    private readonly List<TopicFilter> _filters = [];
    private readonly List<TopicFilter> _filterOut = [];
    private readonly List<TopicFilter> _unsubscribe = [];
    private PrintOptions _print = new();
    private QoS? _qos;
    private bool _retainAsPublished;

    public SubSettings()
    {
        Add(
            new FlagGroup("Subscription",
            [
                new("-t --topic", "FILTER", "filter to subscribe to; may be repeated", value => AddTopic("-t", value)),
                new("-q --qos", "QOS", "highest QoS to receive with: 0, 1 or 2 (0; with --store 2)", value => _qos = FlagValue.QoS("-q", value)),
                new("-U --unsubscribe", "FILTER", "filter to unsubscribe from, after subscribing; may be repeated", value =>
                    _unsubscribe.Add(FlagValue.Filter("-U", value))),
                StoreFlag("keep the session there and at the broker: what comes meanwhile, the next run prints"),
                Store.KeyFlag,
            new("--retain-as-published", "MQTT 5: keep the retain flag as it was published", () => _retainAsPublished = true),
            ]),
            new FlagGroup("Which messages, and how many",
            [
                new("-C", "COUNT", "end after so many messages", value => Count = FlagValue.Integer("-C", value, 1, int.MaxValue)),
                new("-W", "SECONDS", "end with status 27 after so long", value => Timeout = TimeSpan.FromSeconds(FlagValue.Number("-W", value, 0.001, int.MaxValue))),
                new("-E", "end as soon as the broker has answered the subscriptions", () => ExitAfterSubscribing = true),
                new("-R", "leave out retained messages", () => NoRetained = true),
                new("--retained-only", "print retained messages alone; end at the first that is not", () => RetainedOnly = true),
                new("--remove-retained", "clear the retained messages that come, but for those of -T", () => RemoveRetained = true),
                new("-T --filter-out", "FILTER", "leave out messages of these topics; may be repeated", value => _filterOut.Add(FlagValue.Filter("-T", value))),
                new("--random-filter", "PERCENT", "print so many of the messages, by chance (100)", value =>
                    RandomFilter = FlagValue.Number("--random-filter", value, 0.1, 100)),
            ]),
            new FlagGroup("Output",
            [
                new("-v --verbose", "print topic and payload", () => _print = _print with { Verbose = true }),
                new("-F", "FORMAT", "print in this format, see below", value => _print = _print with { Format = MessageFormat.Parse(value) }),
                new("-N", "do not end messages with a line feed", () => _print = _print with { EndOfLine = false }),
                new("--pretty", "lay out the JSON of %j and %J for people", () => _print = _print with { Pretty = true }),
            ]));
        AddConnection();
        AddGeneral();
    }

    protected override string Usage => """
        usage: nightjar sub [-h HOST] -t FILTER [-t FILTER ...] [flags]

        Subscribes and prints what comes: payloads, or with -v topics and payloads, or in the format of -F. Goes on until -C, -W, -E or Ctrl-C;
        a lost connection is made again. A message is acknowledged after it was written. With --store this run goes on where the one before
        stopped, however it ended: a message may be printed twice then, and none is lost.
        """;

    protected override IReadOnlyList<(string Title, string Text)> More => [("Formats (-F)", Formats), .. base.More];

    public IReadOnlyList<TopicFilter> Filters => _filters;

    public IReadOnlyList<TopicFilter> Unsubscribe => _unsubscribe;

    /// <summary>How many messages to print; null: no end.</summary>
    public int? Count { get; private set; }

    /// <summary>How long to run; null: no end.</summary>
    public TimeSpan? Timeout { get; private set; }

    public bool ExitAfterSubscribing { get; private set; }

    public bool NoRetained { get; private set; }

    public bool RetainedOnly { get; private set; }

    public bool RemoveRetained { get; private set; }

    /// <summary>Percent.</summary>
    public double RandomFilter { get; private set; } = 100;

    /// <summary>Whether a filter of <c>-T</c> matches.</summary>
    public bool FiltersOut(string topic) => _filterOut.Exists(filter => filter.Matches(topic));

    public PrintOptions ToPrintOptions(Invocation invocation) => _print with { ForTerminal = invocation.OutputIsTerminal && !Raw };

    public SubscribeOptions ToSubscribeOptions() => new()
    {
        QoS = _qos ?? (Store.Directory is null ? QoS.AtMostOnce : QoS.ExactlyOnce),
        RetainAsPublished = _retainAsPublished,
        // With --remove-retained they must come, to be known.
        RetainHandling = NoRetained && !RemoveRetained ? RetainHandling.DoNotSend : RetainHandling.SendAtSubscribe,
        SubscriptionIdentifier = Properties.Subscribe.Number("subscription-identifier"),
        UserProperties = Properties.Subscribe.UserProperties,
    };

    public override MqttClientOptions ToClientOptions(Invocation invocation)
    {
        var options = base.ToClientOptions(invocation);
        // Whoever gives it five seconds does not want to wait fifteen for a host that does not answer.
        options.ConnectTimeout = Timeout is { } time && time < options.ConnectTimeout ? time : options.ConnectTimeout;
        return options;
    }

    protected override void AddTopic(string flag, string text) => _filters.Add(FlagValue.Filter(flag, text));

    protected override void Validate()
    {
        base.Validate();
        if (NoRetained && RetainedOnly)
        {
            throw new UsageException("Combining '-R' and '--retained-only' makes no sense.");
        }

        if (_filters.Count == 0)
        {
            throw new UsageException("You must specify a topic to subscribe to.");
        }

        if (Store.Directory is not null && _qos == QoS.AtMostOnce)
        {
            throw new UsageException("--store goes on where the run before stopped, and the broker keeps no messages of QoS 0 for that; use -q 1 or -q 2.");
        }
    }
}
