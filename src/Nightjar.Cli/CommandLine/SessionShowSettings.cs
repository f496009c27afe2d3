namespace Nightjar.Cli.CommandLine;

/// <summary>The flags of <c>nightjar session show</c>.</summary>
internal sealed class SessionShowSettings : StoreSettings
{
    public SessionShowSettings()
    {
        Add(new FlagGroup("Output",
        [
            new("--json", "one JSON object", () => Json = true),
            new("--pretty", "lay it out for people", () => Pretty = true),
            new("--payload", "show payloads too", () => Payload = true),
        ]),
        new FlagGroup("Store", [Store.KeyFlag]));
        AddGeneral();
    }

    public bool Json { get; private set; }

    public bool Pretty { get; private set; }

    public bool Payload { get; private set; }

    protected override string Usage => """
        usage: nightjar session show DIR [flags]

        Shows what lies in the store of a session: whose it is, how much waits, and each message that is not done. It changes nothing, and works
        beside the process that uses the store.
        """;

    protected override IReadOnlyList<(string Title, string Text)> More =>
    [
        ("States", """
              queued        never sent
              sent          sent, or about to be; whether the broker has it is not known
              released      QoS 2: the broker has it, and the last step is open
              unhandled     received, and its handler is not done
              content-lost  the store is damaged here; the packet identifier stays taken
            """),
        ("Exit status", """
              0        shown
              1        the command line cannot be used
              2        the store cannot be read
            """),
    ];
}
