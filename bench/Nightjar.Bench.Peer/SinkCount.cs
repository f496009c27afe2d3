using System.Diagnostics;

namespace Nightjar.Bench.Peer;

/// <summary>The count of one connection's messages, told once per read and awaited by the control thread.</summary>
internal sealed class SinkCount
{
    private readonly object _gate = new();
    private SinkReport _report;
    private bool _closed;

    public void Report(long messages, long payloadBytes)
    {
        lock (_gate)
        {
            if (messages != _report.Messages)
            {
                _report = new SinkReport(messages, payloadBytes, Stopwatch.GetTimestamp());
                Monitor.PulseAll(_gate);
            }
        }
    }

    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until so many have arrived. Throws <see cref="InvalidOperationException"/> if the connection ends before.</summary>
    public SinkReport Wait(long messages)
    {
        lock (_gate)
        {
            while (_report.Messages < messages)
            {
                if (_closed)
                {
                    throw new InvalidOperationException($"the connection ended after {_report.Messages} of {messages} messages");
                }

                Monitor.Wait(_gate);
            }

            return _report;
        }
    }
}
