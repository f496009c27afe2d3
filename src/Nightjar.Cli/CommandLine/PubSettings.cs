namespace Nightjar.Cli.CommandLine;

/// <summary>Where a published message comes from.</summary>
internal enum MessageSource
{
    None,
    Argument,
    File,
    Input,
    InputLines,
    Empty,
}

/// <summary>The flags of <c>nightjar pub</c>.</summary>
internal sealed class PubSettings : ConnectionSettings
{
    private QoS? _qos;

    public PubSettings()
    {
        Add(new FlagGroup("Message",
        [
            new("-t --topic", "TOPIC", "topic to publish to", value => AddTopic("-t", value)),
            new("-m --message", "TEXT", "publish this text", value => (Source, Text) = (Only(MessageSource.Argument), value)),
            new("-f --file", "FILE", "publish the content of a file", value => (Source, File) = (Only(MessageSource.File), value)),
            new("-l --stdin-line", "publish each line of standard input, many in flight, in order", () => Source = Only(MessageSource.InputLines)),
            new("-s --stdin-file", "publish all of standard input as one message", () => Source = Only(MessageSource.Input)),
            new("-n --null-message", "publish an empty message", () => Source = Only(MessageSource.Empty)),
            new("-q --qos", "QOS", "0, 1 or 2 (0; with --store 1)", value => _qos = FlagValue.QoS("-q", value)),
            new("-r --retain", "let the broker keep it for later subscribers", () => Retain = true),
            new("--repeat", "COUNT", "publish it so many times (1); not with -l", value => Repeat = FlagValue.Integer("--repeat", value, 1, int.MaxValue)),
            new("--repeat-delay", "SECONDS", "time from one acknowledged to the next (0)", value =>
                RepeatDelay = TimeSpan.FromSeconds(FlagValue.Number("--repeat-delay", value, 0, int.MaxValue))),
        ]),
        new FlagGroup("Store",
        [
            StoreFlag("store every message there first; one that cannot be delivered now, the next run delivers"),
            Store.KeyFlag,
            TimeoutFlag("with --store: how long to try to deliver (10)"),
        ]));
        DeliveryTimeout = TimeSpan.FromSeconds(10);
        AddConnection();
        AddGeneral();
    }

    /// <summary>One message that met a dying connection is an error to report; a stream of them outlives a restart of the broker.</summary>
    public override bool Reconnects => Source == MessageSource.InputLines || Repeat > 1;

    public string Topic { get; private set; } = string.Empty;

    public MessageSource Source { get; private set; }

    /// <summary>Of <see cref="MessageSource.Argument"/>.</summary>
    public string Text { get; private set; } = string.Empty;

    /// <summary>Of <see cref="MessageSource.File"/>.</summary>
    public string File { get; private set; } = string.Empty;

    public QoS QoS => _qos ?? (Store.Directory is null ? QoS.AtMostOnce : QoS.AtLeastOnce);

    public bool Retain { get; private set; }

    public int Repeat { get; private set; } = 1;

    public TimeSpan RepeatDelay { get; private set; }

    /// <summary>Whoever is told that a message is stored may switch the machine off.</summary>
    protected override Durability Durability => Durability.EveryMessage;

    protected override string Usage => """
        usage: nightjar pub [-h HOST] -t TOPIC {-m TEXT | -f FILE | -l | -s | -n} [flags]

        Publishes and ends once the broker has acknowledged; at QoS 0, once the message was handed to the system. With --store, what is
        not acknowledged in time is kept, in order, and the exit status is 75: the next run delivers it, or "nightjar session drain DIR".
        """;

    /// <summary>A message with everything that the flags say but its payload.</summary>
    public OutgoingMessage ToMessage(ReadOnlyMemory<byte> payload)
    {
        var properties = Properties.Publish;
        return new OutgoingMessage(Topic, payload)
        {
            QoS = QoS,
            Retain = Retain,
            TimeToLive = properties.Seconds("message-expiry-interval"),
            PayloadFormat = (PayloadFormat?)properties.Number("payload-format-indicator"),
            ContentType = properties.Text("content-type"),
            ResponseTopic = properties.Text("response-topic"),
            CorrelationData = properties.Binary("correlation-data"),
            UserProperties = properties.UserProperties,
            TopicAlias = (ushort?)properties.Number("topic-alias"),
        };
    }

    protected override void AddTopic(string flag, string text) => Topic = FlagValue.Topic(flag, text);

    protected override void Validate()
    {
        base.Validate();
        if (Topic.Length == 0 || Source == MessageSource.None)
        {
            throw new UsageException("Both topic and message must be supplied.");
        }

        if (Store.Directory is not null && _qos == QoS.AtMostOnce)
        {
            throw new UsageException("--store keeps messages until the broker acknowledges them, and it acknowledges none of QoS 0; use -q 1 or -q 2.");
        }
    }

    private MessageSource Only(MessageSource source) =>
        Source == MessageSource.None ? source : throw new UsageException("Only one type of message can be sent at once.");
}
