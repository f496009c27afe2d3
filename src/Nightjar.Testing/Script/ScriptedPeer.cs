using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Testing;

/// <summary>
/// The other end of a connection, by script: it expects and sends exact packets or bytes, and says what came instead. As a server it
/// listens (<see cref="Listen"/>) or hands out streams (<see cref="ConnectInMemory"/>); as a client it talks over a given stream
/// (<see cref="Over"/>). One script at a time; the log may be read from any thread.
/// </summary>
/// <example>
/// <code>
/// await using var peer = ScriptedPeer.Listen();
/// // ... a client connects to peer.Uri
/// await peer.ExpectAsync&lt;ConnectPacket&gt;();
/// await peer.SendAsync(new ConnAckPacket());
/// </code>
/// </example>
public sealed class ScriptedPeer : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly List<ReceivedPacket> _received = [];
    private readonly List<ScriptedConnection> _connections = [];
    private readonly Channel<Stream> _arriving = Channel.CreateUnbounded<Stream>();
    private readonly PacketSender _receivesFrom;
    private Socket? _listener;
    private Task _listening = Task.CompletedTask;
    private ScriptedConnection? _current;
    private MqttVersion _version;

    /// <summary>A server without a socket: clients come by <see cref="ConnectInMemory"/>.</summary>
    public ScriptedPeer()
        : this(PacketSender.Client, MqttVersion.Mqtt5)
    {
    }

    private ScriptedPeer(PacketSender receivesFrom, MqttVersion version)
    {
        _receivesFrom = receivesFrom;
        _version = version;
    }

    /// <summary>How long an expectation waits before it fails with <see cref="TimeoutException"/>, in real time. Default: 5 s.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// In which version packets are read and written. Default: 5.0; it follows each CONNECT that is received or sent, so it needs setting only
    /// where a CONNECT goes as bare bytes.
    /// </summary>
    public MqttVersion Version
    {
        get => _version;
        set
        {
            _version = value;
            if (_current is not null)
            {
                _current.Decoder.Version = value;
            }
        }
    }

    /// <summary>All packets received so far, of all connections; a snapshot. Bytes that were expected as bytes are not among them.</summary>
    public IReadOnlyList<ReceivedPacket> Received
    {
        get
        {
            lock (_gate)
            {
                return [.. _received];
            }
        }
    }

    /// <summary>The port on 127.0.0.1.</summary>
    /// <exception cref="InvalidOperationException">The peer does not listen.</exception>
    public int Port => ((IPEndPoint?)_listener?.LocalEndPoint)?.Port ?? throw new InvalidOperationException("The peer does not listen; use ScriptedPeer.Listen.");

    /// <summary>Where a client reaches it: <c>mqtt://127.0.0.1:port</c>.</summary>
    /// <exception cref="InvalidOperationException">The peer does not listen.</exception>
    public string Uri => $"mqtt://127.0.0.1:{Port}";

    /// <summary>A server on a free port of 127.0.0.1.</summary>
    public static ScriptedPeer Listen()
    {
        var peer = new ScriptedPeer();
        peer._listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        peer._listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        peer._listener.Listen();
        peer._listening = peer.ListenAsync(peer._listener);
        return peer;
    }

    /// <summary>A peer on a stream that is connected already.</summary>
    /// <param name="stream">Disposed with the peer.</param>
    /// <param name="receivesFrom">Who is at the other end: <see cref="PacketSender.Server"/> makes the peer a client. Default: a server.</param>
    /// <param name="version">See <see cref="Version"/>.</param>
    public static ScriptedPeer Over(Stream stream, PacketSender receivesFrom = PacketSender.Server, MqttVersion version = MqttVersion.Mqtt5)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var peer = new ScriptedPeer(receivesFrom, version);
        peer._arriving.Writer.TryWrite(stream);
        return peer;
    }

    /// <summary>A client's end of a new connection to this peer, without a socket; it waits for <see cref="AcceptAsync"/> like any other.</summary>
    /// <param name="capacity">Bytes under way in each direction; a peer that expects nothing makes the client wait when they are full.</param>
    public InMemoryStream ConnectInMemory(int capacity = 65_536)
    {
        var (client, server) = InMemoryStream.CreatePair(capacity);
        _arriving.Writer.TryWrite(server);
        return client;
    }

    /// <summary>
    /// Waits for the next connection, which the script then goes on with; the one before stays as it is. The first is accepted by the first
    /// expectation too.
    /// </summary>
    /// <exception cref="TimeoutException">None came.</exception>
    public async Task AcceptAsync(CancellationToken cancellationToken = default)
    {
        using var deadline = Deadline(cancellationToken);
        await AcceptNextAsync(deadline, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The next packet, whatever it is.</summary>
    /// <exception cref="ScriptException">The connection ended, or the other end broke a rule of the protocol.</exception>
    /// <exception cref="TimeoutException">Nothing came.</exception>
    public Task<ReceivedPacket> ReceiveAsync(CancellationToken cancellationToken = default) => NextAsync("a packet", cancellationToken);

    /// <summary>The next packet, which must be of this type.</summary>
    /// <exception cref="ScriptException">It is another, the connection ended, or the other end broke a rule of the protocol.</exception>
    /// <exception cref="TimeoutException">Nothing came.</exception>
    public async Task<ReceivedPacket> ExpectAsync(PacketType type, CancellationToken cancellationToken = default)
    {
        var expected = type.ToString().ToUpperInvariant();
        var packet = await NextAsync(expected, cancellationToken).ConfigureAwait(false);
        return packet.Type == type ? packet : throw new ScriptException($"Expected {expected}, received {packet}.");
    }

    /// <summary>The next packet, which must be of this kind; see <see cref="ReceivedPacket.Packet"/> for the kinds.</summary>
    /// <exception cref="ScriptException">It is another, the connection ended, or the other end broke a rule of the protocol.</exception>
    /// <exception cref="TimeoutException">Nothing came.</exception>
    public async Task<T> ExpectAsync<T>(CancellationToken cancellationToken = default)
        where T : notnull
    {
        var expected = typeof(T) == typeof(MqttMessage) ? "PUBLISH" : typeof(T).Name;
        var packet = await NextAsync(expected, cancellationToken).ConfigureAwait(false);
        return packet.Packet is T content ? content : throw new ScriptException($"Expected {expected}, received {packet}.");
    }

    /// <summary>The next packet, which must be this acknowledgement: PUBACK, PUBREC, PUBREL or PUBCOMP.</summary>
    /// <exception cref="ScriptException">It is another, the connection ended, or the other end broke a rule of the protocol.</exception>
    /// <exception cref="TimeoutException">Nothing came.</exception>
    public async Task<AckPacket> ExpectAckAsync(PacketType type, ushort packetId, CancellationToken cancellationToken = default)
    {
        var expected = $"{type.ToString().ToUpperInvariant()} id {packetId}";
        var packet = await NextAsync(expected, cancellationToken).ConfigureAwait(false);
        return packet.Packet is AckPacket ack && ack.Type == type && ack.PacketId == packetId
            ? ack
            : throw new ScriptException($"Expected {expected}, received {packet}.");
    }

    /// <summary>The next bytes, which must be these.</summary>
    /// <exception cref="ScriptException">They are others, or the connection ended.</exception>
    /// <exception cref="TimeoutException">Not enough came.</exception>
    public async Task ExpectBytesAsync(ReadOnlyMemory<byte> expected, CancellationToken cancellationToken = default)
    {
        using var deadline = Deadline(cancellationToken);
        var connection = await ConnectionAsync(deadline, cancellationToken).ConfigureAwait(false);
        var same = 0;
        while (true)
        {
            var unread = connection.Unread;
            var length = Math.Min(unread.Length, expected.Length);
            same += unread.Span[same..length].CommonPrefixLength(expected.Span[same..]);
            if (same < length)
            {
                throw new ScriptException(
                    $"The bytes differ at position {same}.\nExpected {Bytes.ToHex(expected.Span)}\nReceived {Bytes.ToHex(unread.Span)}");
            }

            if (length == expected.Length)
            {
                connection.Take(length);
                return;
            }

            if (!await FillAsync(connection, $"the bytes {Bytes.ToHex(expected.Span)}", deadline, cancellationToken).ConfigureAwait(false))
            {
                throw new ScriptException(
                    $"The connection ended after {unread.Length} of {expected.Length} bytes.\nExpected {Bytes.ToHex(expected.Span)}\nReceived {Bytes.ToHex(unread.Span)}");
            }
        }
    }

    /// <summary>The connection must end, and nothing may come before that.</summary>
    /// <exception cref="ScriptException">Something came.</exception>
    /// <exception cref="TimeoutException">It stays open.</exception>
    public async Task ExpectClosedAsync(CancellationToken cancellationToken = default)
    {
        using var deadline = Deadline(cancellationToken);
        var connection = await ConnectionAsync(deadline, cancellationToken).ConfigureAwait(false);
        do
        {
            if (connection.TakePacket() is { } packet)
            {
                Log(packet);
                throw new ScriptException($"Expected the connection to end, received {packet}.");
            }
        }
        while (await FillAsync(connection, "the end of the connection", deadline, cancellationToken).ConfigureAwait(false));

        if (!connection.Unread.IsEmpty)
        {
            throw new ScriptException($"The connection ended within a packet; received {Bytes.ToHex(connection.Unread.Span)}.");
        }
    }

    /// <summary>Sends any packet but PUBLISH, or a <see cref="MqttMessage"/> as PUBLISH, in <see cref="Version"/>.</summary>
    /// <exception cref="ArgumentException">It is not a packet, or one that must not be sent; for that use <see cref="SendBytesAsync"/>.</exception>
    public Task SendAsync(object packet, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(packet);
        if (packet is ConnectPacket connect)
        {
            Version = connect.Version;
        }

        var bytes = packet is MqttMessage message ? PublishProperties.EncodePacket(message, Version) : PacketWriter.ToArray(packet, Version);
        return SendBytesAsync(bytes, cancellationToken);
    }

    /// <summary>Sends a PUBLISH in <see cref="Version"/>.</summary>
    public Task SendAsync(in PublishPacket packet, CancellationToken cancellationToken = default) =>
        SendBytesAsync(PacketWriter.ToArray(packet, Version), cancellationToken);

    /// <summary>Sends bytes, right or wrong.</summary>
    /// <exception cref="TimeoutException">The other end does not read them.</exception>
    public async Task SendBytesAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken = default)
    {
        using var deadline = Deadline(cancellationToken);
        var connection = await ConnectionAsync(deadline, cancellationToken).ConfigureAwait(false);
        try
        {
            await connection.Stream.WriteAsync(bytes, deadline.Token).ConfigureAwait(false);
            await connection.Stream.FlushAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The other end did not read what was sent within {Patience.TotalSeconds} s.", e);
        }
    }

    /// <summary>Half-closes: the other end reads the end of the stream; expectations go on.</summary>
    /// <exception cref="NotSupportedException">The stream given to <see cref="Over"/> cannot be half-closed.</exception>
    public async Task CompleteWritingAsync(CancellationToken cancellationToken = default)
    {
        using var deadline = Deadline(cancellationToken);
        var connection = await ConnectionAsync(deadline, cancellationToken).ConfigureAwait(false);
        if (!await HalfClose.CompleteWritingAsync(connection.Stream).ConfigureAwait(false))
        {
            throw new NotSupportedException("This stream cannot be half-closed.");
        }
    }

    /// <summary>Closes the current connection; the peer listens on, and <see cref="AcceptAsync"/> takes the next.</summary>
    public async Task CloseAsync(CancellationToken cancellationToken = default)
    {
        using var deadline = Deadline(cancellationToken);
        var connection = await ConnectionAsync(deadline, cancellationToken).ConfigureAwait(false);
        await connection.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Stops listening and closes all connections.</summary>
    public async ValueTask DisposeAsync()
    {
        _listener?.Dispose();
        await _listening.ConfigureAwait(false);
        _arriving.Writer.TryComplete();
        while (_arriving.Reader.TryRead(out var stream))
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }

        foreach (var connection in _connections)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task ListenAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                var socket = await listener.AcceptAsync().ConfigureAwait(false);
                socket.NoDelay = true;
                _arriving.Writer.TryWrite(new NetworkStream(socket, ownsSocket: true));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task<ReceivedPacket> NextAsync(string expected, CancellationToken cancellationToken)
    {
        using var deadline = Deadline(cancellationToken);
        var connection = await ConnectionAsync(deadline, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            if (connection.TakePacket() is { } packet)
            {
                _version = connection.Decoder.Version;
                Log(packet);
                return packet;
            }

            if (!await FillAsync(connection, expected, deadline, cancellationToken).ConfigureAwait(false))
            {
                throw new ScriptException($"Expected {expected}, but the connection ended. {Story(connection)}");
            }
        }
    }

    private async ValueTask<ScriptedConnection> ConnectionAsync(CancellationTokenSource deadline, CancellationToken cancellationToken) =>
        _current ?? await AcceptNextAsync(deadline, cancellationToken).ConfigureAwait(false);

    private async Task<ScriptedConnection> AcceptNextAsync(CancellationTokenSource deadline, CancellationToken cancellationToken)
    {
        try
        {
            var stream = await _arriving.Reader.ReadAsync(deadline.Token).ConfigureAwait(false);
            _current = new ScriptedConnection(stream, _receivesFrom, Version);
            _connections.Add(_current);
            return _current;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"Nobody connected within {Patience.TotalSeconds} s; {_connections.Count} connections came before.", e);
        }
    }

    private async ValueTask<bool> FillAsync(
        ScriptedConnection connection, string expected, CancellationTokenSource deadline, CancellationToken cancellationToken)
    {
        try
        {
            return await connection.FillAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"Waited {Patience.TotalSeconds} s for {expected}. {Story(connection)}", e);
        }
    }

    private string Story(ScriptedConnection connection)
    {
        var received = Received;
        var packets = received.Count == 0 ? "none" : string.Join("; ", received.TakeLast(8));
        return $"Packets before: {packets}. Bytes not yet expected: {Bytes.ToHex(connection.Unread.Span)}.";
    }

    private void Log(ReceivedPacket packet)
    {
        lock (_gate)
        {
            _received.Add(packet);
        }
    }

    private CancellationTokenSource Deadline(CancellationToken cancellationToken)
    {
        var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(Patience);
        return deadline;
    }
}
