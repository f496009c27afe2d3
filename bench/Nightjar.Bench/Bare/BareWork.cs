using System.Net;
using System.Net.Sockets;
using System.Text;
using Nightjar.Bench.Peer;
using Nightjar.Bench.Work;

namespace Nightjar.Bench.Bare;

/// <summary>The yardstick: a socket that moves the same bytes as the client does and knows nothing of MQTT but where a packet ends.</summary>
internal abstract class BareWork : IWork
{
    // What the client reads into, and what a flush of the client takes at most in the pipelined rows.
    protected const int BufferSize = 64 * 1024;

    // The client's default, so that the peer's source keeps the same window.
    private const ushort ReceiveMaximum = 256;

    private static int _connections;
    private long _published;

    protected BareWork(PeerEndpoint peer, Row row)
    {
        Row = row;
        Template = new PublishTemplate(Row.Topic, row.PayloadSize, row.QoS, version5: true);
        Control = new PeerControl(peer.ControlPort);
        ClientId = $"bare-{Environment.ProcessId}-{Interlocked.Increment(ref _connections)}";
        Socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Socket.Connect(IPAddress.Loopback, peer.MqttPort);
        Exchange(Connect(), answerLength: 5);
    }

    protected Row Row { get; }

    protected PublishTemplate Template { get; }

    protected PeerControl Control { get; }

    protected Socket Socket { get; }

    protected string ClientId { get; }

    public abstract Task<Run> RunAsync(Quota quota);

    public ValueTask DisposeAsync()
    {
        Socket.Dispose();
        Control.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Waits until the peer has counted all of them, each with its whole payload.</summary>
    protected async Task<SinkReport> AwaitArrivalAsync(long messages)
    {
        _published += messages;
        var report = await Control.AwaitMessagesAsync(ClientId, _published);
        report.Check(_published, Row.PayloadSize);
        return report;
    }

    /// <summary>Sends a packet and reads its answer.</summary>
    protected void Exchange(ReadOnlySpan<byte> packet, int answerLength)
    {
        AnswerBuffer.SendAll(Socket, packet);
        Span<byte> answer = stackalloc byte[answerLength];
        while (!answer.IsEmpty)
        {
            var read = Socket.Receive(answer);
            answer = read > 0 ? answer[read..] : throw new InvalidOperationException("the peer closed the connection");
        }
    }

    // Clean start, no keep-alive, Receive Maximum.
    private byte[] Connect()
    {
        var id = Encoding.ASCII.GetBytes(ClientId);
        return
        [
            0x10, (byte)(16 + id.Length), 0, 4, .. "MQTT"u8, 5, 2, 0, 0,
            3, 0x21, ReceiveMaximum >> 8, ReceiveMaximum & 0xFF, 0, (byte)id.Length, .. id,
        ];
    }
}
