namespace Nightjar.Cli.CommandLine;

/// <summary>The flags of <c>nightjar session drain</c>: a directory, and those of a connection.</summary>
internal sealed class SessionDrainSettings : ConnectionSettings
{
    public SessionDrainSettings()
    {
        Add(new FlagGroup("Delivery", [TimeoutFlag("how long to try (60)"), Store.KeyFlag]));
        DeliveryTimeout = TimeSpan.FromSeconds(60);
        AddConnection();
        AddGeneral();
    }

    protected override Action<string> Operand => Store.TakeDirectory;

    protected override string Usage => """
        usage: nightjar session drain DIR [-h HOST] [flags]

        Connects as the session whose store this is, delivers what waits in it, in order, and ends. The client identifier, and unless a flag
        says where to connect the broker too, are those of the session. Credentials are never stored: they come by flags.
        """;

    /// <summary>Takes from the session what no flag says.</summary>
    public void Complete(StoredSession session)
    {
        UseClientId(session.ClientId);
        if (!NamesServer && session.Server is { } server && Uri.TryCreate(server, UriKind.Absolute, out var uri) && uri.Scheme is "mqtt" or "mqtts")
        {
            UseServer(uri.Host.Trim('[', ']'), uri.Port, uri.Scheme == "mqtts");
        }
    }

    protected override void AddTopic(string flag, string text)
    {
        // A URL has one, and what waits has topics of its own.
    }

    protected override void Validate()
    {
        base.Validate();
        Store.ThrowIfNone();
    }
}
