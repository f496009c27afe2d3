namespace Nightjar.Cli.CommandLine;

/// <summary>The flags of <c>nightjar demo</c>: those of a connection.</summary>
internal sealed class DemoSettings : ConnectionSettings
{
    public DemoSettings()
    {
        AddConnection();
        AddGeneral();
    }

    /// <summary>What its topics begin with.</summary>
    public string Prefix { get; private set; } = "nightjar-demo";

    protected override string Usage => """
        usage: nightjar demo [-h HOST] [flags]

        Shows a publisher and a subscriber at work for three seconds: on a broker of its own, or on HOST.
        """;

    protected override void AddTopic(string flag, string text) => Prefix = FlagValue.Topic(flag, text);
}
