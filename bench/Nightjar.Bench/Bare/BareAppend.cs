using System.Diagnostics;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Nightjar.Bench.Peer;
using Nightjar.Bench.Work;

namespace Nightjar.Bench.Bare;

/// <summary>
/// What the disk can do: one record of each message at the end of a file, as many in one write as the row has in flight, and an fsync as often as the durability asks for one. It sends nothing, and
/// notes no packet identifiers and no ends of messages, as the client does.
/// </summary>
internal sealed class BareAppend(Row row, Durability durability, string directory) : IWork
{
    // As the file store does by default.
    private const long FileSize = 16 * 1024 * 1024;
    private const int HeaderSize = 24;
    private static readonly TimeSpan FlushInterval = TimeSpan.FromMilliseconds(100);

    private readonly StoreDirectory _files = new(directory);
    private SafeFileHandle? _file;
    private long _offset;
    private int _number;

    public Task<Run> RunAsync(Quota quota)
    {
        var batch = new byte[row.InFlight * (HeaderSize + Encoding.UTF8.GetByteCount(Row.Topic) + row.PayloadSize)];
        var written = 0L;
        var started = Stopwatch.GetTimestamp();
        var flushed = started;
        bool last;
        do
        {
            written += quota.Next(written, row.InFlight, out last);
            Write(batch);
            if (durability == Durability.EveryMessage || (durability == Durability.Grouped && Stopwatch.GetElapsedTime(flushed) >= FlushInterval))
            {
                RandomAccess.FlushToDisk(_file!);
                flushed = Stopwatch.GetTimestamp();
            }
        }
        while (!last);

        return Task.FromResult(new Run(written, started, Stopwatch.GetTimestamp()));
    }

    public ValueTask DisposeAsync()
    {
        _file?.Dispose();
        _files.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Write(byte[] batch)
    {
        if (_file is null || _offset >= FileSize)
        {
            var before = _file is null ? null : PathOf(_number++);
            _file?.Dispose();
            _file = File.OpenHandle(PathOf(_number), FileMode.CreateNew, FileAccess.Write);
            _offset = 0;
            if (before is not null)
            {
                File.Delete(before);
            }
        }

        RandomAccess.Write(_file, batch, _offset);
        _offset += batch.Length;
    }

    private string PathOf(int number) => Path.Combine(_files.Path, $"{number}");
}
