using System.Diagnostics;
using System.Text;
using Nightjar.Bench.Peer;
using Nightjar.Bench.Work;

namespace Nightjar.Bench.Bare;

/// <summary>A queue of arrays, one for each message, with topic and payload and nothing else.</summary>
internal sealed class BareQueue(Row row) : IWork
{
    private readonly byte[] _topic = Encoding.UTF8.GetBytes(Row.Topic);
    private readonly byte[] _payload = PublishTemplate.Payload(row.PayloadSize);
    private Queue<byte[]>? _queue;
    private long _heapBefore;

    public Task PrepareRunAsync()
    {
        _queue = null;
        _heapBefore = GC.GetTotalMemory(forceFullCollection: true);
        return Task.CompletedTask;
    }

    public Task<Run> RunAsync(Quota quota)
    {
        var started = Stopwatch.GetTimestamp();
        _queue = [];
        for (var index = 0; index < row.Messages; index++)
        {
            var message = new byte[_topic.Length + _payload.Length];
            _topic.CopyTo(message, 0);
            _payload.CopyTo(message, _topic.Length);
            _queue.Enqueue(message);
        }

        return Task.FromResult(new Run(row.Messages, started, Stopwatch.GetTimestamp()));
    }

    public long? CountLiveBytes()
    {
        var live = GC.GetTotalMemory(forceFullCollection: true) - _heapBefore;
        GC.KeepAlive(_queue);
        return live;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
