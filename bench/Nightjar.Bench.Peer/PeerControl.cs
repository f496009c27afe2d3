using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Nightjar.Bench.Peer;

/// <summary>The other end of the control lines: asks the peer for counts, and makes it publish. One request at a time.</summary>
public sealed class PeerControl : IDisposable
{
    // On top of the time that a run takes: for what is still on its way. A message that is late by more than this is lost.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Socket _socket;
    private readonly StreamReader _reader;
    private readonly StreamWriter _writer;

    /// <summary>Connects to the control port of a peer.</summary>
    public PeerControl(int controlPort)
    {
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(IPAddress.Loopback, controlPort);
        var stream = new NetworkStream(_socket);
        _reader = new StreamReader(stream);
        _writer = new StreamWriter(stream) { AutoFlush = true };
    }

    /// <summary>Waits until so many messages have arrived from this client.</summary>
    public async Task<SinkReport> AwaitMessagesAsync(string clientId, long messages)
    {
        var numbers = await AskAsync($"{clientId} await {messages}", "reached", TimeSpan.Zero);
        return new SinkReport(numbers[0], numbers[1], numbers[2]);
    }

    /// <summary>Makes the peer publish to this client, which has subscribed; completes when all is sent and, at QoS 1, acknowledged.</summary>
    public async Task<SourceReport> SendAsync(string clientId, int qos, int payloadSize, Quota quota)
    {
        var request = $"{clientId} send {qos} {payloadSize} {quota.Messages} {(long)quota.Time.TotalMilliseconds}";
        var numbers = await AskAsync(request, "sent", quota.Time);
        return new SourceReport(numbers[0], numbers[1], numbers[2]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _writer.Dispose();
        _reader.Dispose();
        _socket.Dispose();
    }

    private async Task<long[]> AskAsync(string request, string expected, TimeSpan time)
    {
        await _writer.WriteLineAsync(request);
        var answer = await _reader.ReadLineAsync().WaitAsync(time + Patience) ?? throw new InvalidOperationException("the peer has gone");
        var words = answer.Split(' ');
        return words[0] == expected
            ? [.. words[1..].Select(word => long.Parse(word, CultureInfo.InvariantCulture))]
            : throw new InvalidOperationException($"the peer: {answer}");
    }
}
