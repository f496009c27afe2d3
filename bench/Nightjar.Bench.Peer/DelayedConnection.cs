using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Nightjar.Bench.Peer;

/// <summary>
/// A connection from afar: what either end sends arrives at the other half a round trip later, and any number of bytes may be on their way. Two threads for each direction: one reads and notes when,
/// the other waits until it is time and writes.
/// </summary>
internal sealed class DelayedConnection(Socket client, int port)
{
    private static readonly TimeSpan OneWay = TimeSpan.FromMilliseconds(10);

    private const int BufferSize = 64 * 1024;

    /// <summary>Returns when either end closes.</summary>
    public void Run()
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        server.Connect(IPAddress.Loopback, port);
        using var back = new Direction(server, client);
        using var forth = new Direction(client, server);
        back.Start();
        forth.Start();
        forth.Join();
        back.Join();
    }

    private sealed class Direction : IDisposable
    {
        private readonly BlockingCollection<(byte[] Bytes, long Due)> _onTheWay = [];
        private readonly Thread _reader;
        private readonly Thread _writer;

        public Direction(Socket from, Socket to)
        {
            _reader = new Thread(() => Read(from)) { IsBackground = true, Name = "delayed read" };
            _writer = new Thread(() => Write(from, to)) { IsBackground = true, Name = "delayed write" };
        }

        public void Start()
        {
            _reader.Start();
            _writer.Start();
        }

        public void Join()
        {
            _reader.Join();
            _writer.Join();
        }

        public void Dispose() => _onTheWay.Dispose();

        private void Read(Socket from)
        {
            var buffer = new byte[BufferSize];
            try
            {
                while (from.Receive(buffer) is var read and > 0)
                {
                    _onTheWay.Add((buffer.AsSpan(0, read).ToArray(), Stopwatch.GetTimestamp() + (long)(OneWay.TotalSeconds * Stopwatch.Frequency)));
                }
            }
            catch (SocketException)
            {
                // The end, in another way.
            }

            _onTheWay.CompleteAdding();
        }

        private void Write(Socket from, Socket to)
        {
            try
            {
                foreach (var (bytes, due) in _onTheWay.GetConsumingEnumerable())
                {
                    if (Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due) is { Ticks: > 0 } early)
                    {
                        Thread.Sleep((int)Math.Ceiling(early.TotalMilliseconds));
                    }

                    AnswerBuffer.SendAll(to, bytes);
                }

                to.Shutdown(SocketShutdown.Send);
            }
            catch (SocketException)
            {
                // The other end has gone: there is nothing to read for it any more.
                from.Dispose();
            }
        }
    }
}
