namespace Nightjar.Testing;

/// <summary>
/// A network that misbehaves on purpose: it delays, splits, stalls, cuts and half-closes. Put it around a stream with
/// <see cref="Wrap"/>, or as a proxy in front of a real port with <see cref="Listen"/>. Thread-safe.
/// </summary>
/// <example>
/// <code>
/// await using var network = new FaultyNetwork();
/// network.Listen(broker.Port);
/// network.ToServer.CutAfter(100);
/// // a client of network.Uri loses its connection when it has sent 100 bytes
/// </code>
/// </example>
public sealed class FaultyNetwork : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<FaultyStream> _open = [];
    private FaultyProxy? _proxy;
    private int _connections;

    /// <summary>A network without faults yet.</summary>
    /// <param name="seed">Of the random pieces.</param>
    /// <param name="timeProvider">The clock of the delays. Default: the system's.</param>
    public FaultyNetwork(int seed = 1, TimeProvider? timeProvider = null)
    {
        ToServer = new NetworkDirection(timeProvider ?? TimeProvider.System, seed);
        ToClient = new NetworkDirection(timeProvider ?? TimeProvider.System, ~seed);
    }

    /// <summary>What happens to bytes from the client to the server.</summary>
    public NetworkDirection ToServer { get; }

    /// <summary>What happens to bytes from the server to the client.</summary>
    public NetworkDirection ToClient { get; }

    /// <summary>How many connections there have been.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>How many connections are open now.</summary>
    public int OpenConnections
    {
        get
        {
            lock (_gate)
            {
                return _open.Count;
            }
        }
    }

    /// <summary>The proxy's port on 127.0.0.1.</summary>
    /// <exception cref="InvalidOperationException"><see cref="Listen"/> was not called.</exception>
    public int Port => Proxy.Port;

    /// <summary>Where a client reaches the proxy: <c>mqtt://127.0.0.1:port</c>.</summary>
    /// <exception cref="InvalidOperationException"><see cref="Listen"/> was not called.</exception>
    public string Uri => $"mqtt://127.0.0.1:{Port}";

    private FaultyProxy Proxy => _proxy ?? throw new InvalidOperationException("There is no proxy; call Listen first.");

    /// <summary>
    /// The client's end of a connection with this network's faults: what the client writes goes to the server, what it reads comes from
    /// it. Disposing the result disposes <paramref name="stream"/>. A cut shows as an <see cref="IOException"/>.
    /// </summary>
    public Stream Wrap(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return WrapFaulty(stream);
    }

    internal FaultyStream WrapFaulty(Stream stream)
    {
        var faulty = new FaultyStream(stream, ToServer, ToClient, Remove);
        lock (_gate)
        {
            _open.Add(faulty);
            _connections++;
        }

        return faulty;
    }

    /// <summary>
    /// Starts a proxy on a free port of 127.0.0.1; each connection to it makes one to the target. A cut shows as the end of the stream, at
    /// both ends, behind the last byte that passed.
    /// </summary>
    /// <param name="targetPort">The server's port.</param>
    /// <param name="targetHost">Default: 127.0.0.1.</param>
    /// <exception cref="InvalidOperationException">There is a proxy already.</exception>
    public void Listen(int targetPort, string targetHost = "127.0.0.1")
    {
        ArgumentNullException.ThrowIfNull(targetHost);
        if (_proxy is not null)
        {
            throw new InvalidOperationException("The network has a proxy already; make another network.");
        }

        _proxy = new FaultyProxy(this, targetHost, targetPort);
        _proxy.Start();
    }

    /// <summary>The proxy's port refuses connections, as if nothing listened, until <see cref="Accept"/>. Open connections stay.</summary>
    public void Refuse() => Proxy.Stop();

    /// <summary>The proxy accepts connections again, on the same port.</summary>
    public void Accept() => Proxy.Start();

    /// <summary>Cuts all open connections now.</summary>
    public void Cut()
    {
        foreach (var stream in Snapshot())
        {
            stream.Cut();
        }
    }

    /// <summary>On all open connections: the server reads the end of the stream, and may go on sending; what the client writes vanishes.</summary>
    /// <exception cref="NotSupportedException">A wrapped stream cannot be half-closed.</exception>
    public async Task HalfCloseToServerAsync()
    {
        foreach (var stream in Snapshot())
        {
            if (!await stream.EndWritingAsync().ConfigureAwait(false))
            {
                throw new NotSupportedException("The wrapped stream cannot be half-closed; use a NetworkStream, an SslStream or an InMemoryStream.");
            }
        }
    }

    /// <summary>On all open connections: the client reads the end of the stream, and may go on sending; what the server writes vanishes.</summary>
    public void HalfCloseToClient()
    {
        foreach (var stream in Snapshot())
        {
            stream.EndReading();
        }
    }

    /// <summary>Stops the proxy and closes all connections. Harmless when repeated.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _proxy, null) is { } proxy)
        {
            await proxy.DisposeAsync().ConfigureAwait(false);
        }

        foreach (var stream in Snapshot())
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    private FaultyStream[] Snapshot()
    {
        lock (_gate)
        {
            return [.. _open];
        }
    }

    private void Remove(FaultyStream stream)
    {
        lock (_gate)
        {
            _open.Remove(stream);
        }
    }
}
