namespace Nightjar.Cli.CommandLine;

/// <summary>The flags of <c>nightjar session verify</c>.</summary>
internal sealed class SessionVerifySettings : StoreSettings
{
    public SessionVerifySettings()
    {
        Add(new FlagGroup("Store", [Store.KeyFlag]));
        AddGeneral();
    }

    protected override string Usage => """
        usage: nightjar session verify DIR [flags]

        Reads every record of a store and checks it. Prints what is damaged: where, why, and what is lost. It changes nothing, and works beside the
        process that uses the store.
        """;

    protected override IReadOnlyList<(string Title, string Text)> More =>
    [
        ("Exit status", """
              0        intact
              1        damaged; what is intact is used all the same
              2        the store cannot be used, or the command line cannot
            """),
    ];
}
