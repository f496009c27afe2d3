namespace Nightjar;

/// <summary>
/// One attempt to connect, before anything is opened: <see cref="ConnectionOptions.BeforeConnect"/> may change what it says, for this attempt only. Not thread-safe.
/// </summary>
public sealed class ConnectAttempt
{
    internal ConnectAttempt(MqttServer server)
    {
        Server = server;
    }

    /// <summary>Which attempt it is since the last stable connection; the first is 1.</summary>
    public int Number { get; internal init; }

    /// <summary>What ended the attempt or the connection before; null if nothing did.</summary>
    public Exception? LastError { get; internal init; }

    /// <summary>What can be done about <see cref="LastError"/>; null if there is none.</summary>
    public FailureClass? LastFailure { get; internal init; }

    /// <summary>The server refused the credentials: bring others. True until there is a connection; if those are refused too, the failure is a permanent one.</summary>
    public bool MustRenewCredentials { get; internal init; }

    /// <summary>The server; a copy that may be changed, or replaced. State that was exchanged with another server or under another client identifier is not used with it.</summary>
    /// <exception cref="ArgumentNullException">It is set to null.</exception>
    public MqttServer Server
    {
        get;
        set => field = value ?? throw new ArgumentNullException(nameof(value), "An attempt is for some server; set Server to one, or leave it as it is.");
    }

    /// <summary>Those of <see cref="Server"/>.</summary>
    public MqttCredentials? Credentials
    {
        get => Server.Credentials;
        set => Server.Credentials = value;
    }

    /// <summary>The client identifier; empty: the server assigns one.</summary>
    /// <exception cref="ArgumentNullException">It is set to null.</exception>
    public string ClientId
    {
        get;
        set => field = value ?? throw new ArgumentNullException(nameof(value), "ClientId is null; leave it as it is, or set it empty: then the server assigns one.");
    } = "";

    /// <summary>What the server publishes if this client dies.</summary>
    public WillMessage? Will { get; set; }

    /// <summary>Whole seconds, at most 65,535; zero turns it off.</summary>
    public TimeSpan KeepAlive { get; set; }

    /// <summary>5.0: user properties of CONNECT.</summary>
    public IList<UserProperty> UserProperties { get; internal init; } = [];
}
