using Nightjar.Connection;
using Nightjar.Protocol.Packets;
using Nightjar.Requests;

namespace Nightjar;

/// <summary>
/// An MQTT client: one session over as many connections as it takes. It connects on first use or on <see cref="ConnectAsync"/>, re-establishes a
/// lost connection, sends again what was on its way, and restores subscriptions. Thread-safe; every call is legal in every state and from any handler.
/// </summary>
public sealed partial class MqttClient : IAsyncDisposable
{
    private readonly EngineHost _host;
    private readonly Requester _requester;

    /// <summary>A client with default options. Throws <see cref="UriFormatException"/> for a URI that is none.</summary>
    /// <param name="uri"><c>mqtt://host</c>, <c>mqtts://user:p%40ss@host:8884</c>.</param>
    public MqttClient(string uri)
        : this(new MqttClientOptions(uri))
    {
    }

    /// <summary>A client with a snapshot of these options. Throws <see cref="ArgumentException"/> that lists all conflicts.</summary>
    public MqttClient(MqttClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _host = new EngineHost(options.Snapshot());
        _requester = new Requester(_host, PublishAsync);
    }

    /// <summary>The client identifier in use: the one given, the generated one, or the server's once it assigned one.</summary>
    public string ClientId => _host.ClientId;

    /// <summary>Where the client is.</summary>
    public ClientState State => _host.State;

    /// <summary>What it does and why, at this moment.</summary>
    public ClientStatus Status => _host.Status;

    /// <summary>What happens, from the moment of enumerating; each reader has its own queue of the last 1,024 events.</summary>
    public IAsyncEnumerable<ClientEvent> Events => _host.Events;

    /// <summary>
    /// Ends when the client is closed; faults when it gives up (reconnecting is off, or the first connection could not be made). A client that gave up can be
    /// asked to connect again; reading this again then waits for what comes of it.
    /// </summary>
    public Task Completion => _host.Completion;

    /// <summary>Cuts the connection without DISCONNECT, so that the server publishes the will, and closes the client.</summary>
    public void Abort() => _host.Abort();

    /// <summary>Connects, runs until the token is cancelled, then disposes. Throws if the client gives up.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _host.ConnectAsync(ConnectWish.WhenAllowed, cancellationToken).ConfigureAwait(false);
            await Completion.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // That is how running ends.
        }
        finally
        {
            await DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Waits up to <see cref="MqttClientOptions.DrainTimeout"/> for what is on its way, sends DISCONNECT, closes. Never waits for user code, never throws; may be called from a handler.</summary>
    public ValueTask DisposeAsync() => new(_host.EndAsync(new DisconnectPacket(), final: true));
}
