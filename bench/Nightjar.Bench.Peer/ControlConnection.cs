using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;

namespace Nightjar.Bench.Peer;

/// <summary>
/// The control lines, one answer per request; each names the connection it means by its client identifier.
/// <code>
/// CLIENT await MESSAGES                          → reached MESSAGES PAYLOAD-BYTES TIMESTAMP
/// CLIENT send QOS SIZE MESSAGES MILLISECONDS     → sent MESSAGES STARTED ENDED       (of the last two one is 0)
/// anything that goes wrong                       → failed REASON
/// </code>
/// </summary>
internal sealed class ControlConnection(Socket socket, ConcurrentDictionary<string, MqttConnection> connections)
{
    public void Run()
    {
        using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream);
        using var writer = new StreamWriter(stream) { AutoFlush = true };
        try
        {
            while (reader.ReadLine() is { } line)
            {
                writer.WriteLine(Answer(line));
            }
        }
        catch (IOException)
        {
            // Whoever measured has gone.
        }
    }

    private string Answer(string line)
    {
        try
        {
            var words = line.Split(' ');
            if (!connections.TryGetValue(words[0], out var connection))
            {
                return $"failed no connection of {words[0]}";
            }

            switch (words[1])
            {
                case "await":
                    var reached = connection.Sink.Wait(Number(words[2]));
                    return $"reached {reached.Messages} {reached.PayloadBytes} {reached.Timestamp}";
                case "send":
                    var quota = new Quota(Number(words[4]), TimeSpan.FromMilliseconds(Number(words[5])));
                    var sent = connection.Send((int)Number(words[2]), (int)Number(words[3]), quota);
                    return $"sent {sent.Messages} {sent.Started} {sent.Ended}";
                default:
                    return $"failed unknown request: {words[1]}";
            }
        }
        catch (Exception exception) when (exception is InvalidOperationException or SocketException or FormatException or IndexOutOfRangeException)
        {
            return $"failed {exception.Message}";
        }
    }

    private static long Number(string word) => long.Parse(word, CultureInfo.InvariantCulture);
}
