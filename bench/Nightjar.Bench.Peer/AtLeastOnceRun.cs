using System.Diagnostics;
using System.Net.Sockets;

namespace Nightjar.Bench.Peer;

/// <summary>
/// The source at QoS 1: keeps as many messages unacknowledged as the client's Receive Maximum allows and insists on the order of the
/// acknowledgements [MQTT-4.6.0-2]. The owner of the connection guards it; only <see cref="Wait"/> is for another thread.
/// </summary>
internal sealed class AtLeastOnceRun(PublishTemplate template, int receiveMaximum, Quota quota)
{
    private readonly TaskCompletionSource<SourceReport> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _started = Stopwatch.GetTimestamp();
    private long _sent;
    private long _acknowledged;
    private bool _lastSent;

    public SourceReport Wait() => _done.Task.GetAwaiter().GetResult();

    public void Close() => _done.TrySetException(new InvalidOperationException($"the connection ended after {_acknowledged} of {_sent} acknowledgements"));

    public void Acknowledge(ushort id)
    {
        if (id != Id(_acknowledged) || _acknowledged == _sent)
        {
            throw new InvalidDataException($"PUBACK {id} out of order");
        }

        _acknowledged++;
        if (_lastSent && _acknowledged == _sent)
        {
            _done.TrySetResult(new SourceReport(_sent, _started, Stopwatch.GetTimestamp()));
        }
    }

    public void SendWindow(Socket socket, AnswerBuffer output)
    {
        var window = receiveMaximum - (int)(_sent - _acknowledged);
        if (_lastSent || window == 0)
        {
            return;
        }

        var count = quota.Next(_sent, window, out _lastSent);
        for (var index = 0; index < count; index++)
        {
            if (output.Room < template.Length)
            {
                output.Flush(socket);
            }

            var packet = output.Take(template.Length);
            template.CopyTo(packet);
            template.SetId(packet, Id(_sent++));
            if (_lastSent && index == count - 1)
            {
                template.MarkLast(packet);
            }
        }

        output.Flush(socket);
    }

    // 1 to 65,535, again and again: 0 is no packet id.
    private static ushort Id(long index) => (ushort)((index % ushort.MaxValue) + 1);
}
