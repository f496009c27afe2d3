using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Nightjar.Bench.Peer;

/// <summary>
/// Three ports on the loopback: one speaks MQTT, one does so from afar (<see cref="DelayedConnection"/>), one takes the control lines of <see cref="ControlConnection"/>. Each connection has a thread of
/// its own and blocks in its socket, which is the cheapest way to move bytes when there is one connection to measure.
/// </summary>
internal sealed class PeerListeners
{
    private readonly Socket _mqtt = Listen();
    private readonly Socket _delayed = Listen();
    private readonly Socket _control = Listen();
    private readonly ConcurrentDictionary<string, MqttConnection> _connections = new(StringComparer.Ordinal);

    public PeerListeners()
    {
        Run(() => Accept(_mqtt, socket => new MqttConnection(socket, _connections).Run()), "accept mqtt");
        Run(() => Accept(_delayed, socket => new DelayedConnection(socket, MqttPort).Run()), "accept delayed");
        Run(() => Accept(_control, socket => new ControlConnection(socket, _connections).Run()), "accept control");
    }

    public int MqttPort => Port(_mqtt);

    public int DelayedPort => Port(_delayed);

    public int ControlPort => Port(_control);

    private static int Port(Socket socket) => ((IPEndPoint)socket.LocalEndPoint!).Port;

    private static Socket Listen()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        return socket;
    }

    private static void Accept(Socket listener, Action<Socket> serve)
    {
        while (true)
        {
            var socket = listener.Accept();
            socket.NoDelay = true;
            Run(() => Serve(socket, serve), "connection");
        }
    }

    private static void Serve(Socket socket, Action<Socket> serve)
    {
        using (socket)
        {
            try
            {
                serve(socket);
            }
            catch (SocketException exception)
            {
                // Clients that end without a word are the rule at the end of a measurement.
                Console.Error.WriteLine($"connection lost: {exception.SocketErrorCode}");
            }
            catch (Exception exception) when (exception is InvalidDataException or ArgumentException or IndexOutOfRangeException)
            {
                // Malformed packets end in a slice that is too long, which is good enough for a peer that only ever meets well-behaved clients.
                Console.Error.WriteLine($"connection closed: {exception.Message}");
            }
        }
    }

    private static void Run(ThreadStart work, string name) => new Thread(work) { IsBackground = true, Name = name }.Start();
}
