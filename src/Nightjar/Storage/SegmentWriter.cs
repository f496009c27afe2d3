using System.Runtime.CompilerServices;

namespace Nightjar.Storage;

/// <summary>A segment that is written no more, and the last record that must be obsolete before it may go.</summary>
internal readonly record struct SealedSegment(long Number, long LastSequence, long Length);

/// <summary>Writes chunks into segments and deletes segments. Belongs to the writer of the log. Every method may be called again after it has failed.</summary>
internal sealed class SegmentWriter(ILogFiles files, Durability durability, List<SealedSegment> older) : IDisposable
{
    private readonly List<ReadOnlyMemory<byte>> _parts = [];
    private ILogFile? _file;
    private long _segment;
    private long _last;
    private long _length;
    private long _bytes = older.Sum(segment => segment.Length);
    private int _segments = older.Count;
    private long _firstEnd = older.Count > 0 ? older[0].LastSequence : long.MaxValue;
    private bool _namesChanged;
    private bool _isDirty;
    private Task _flushing = Task.CompletedTask;

    /// <summary>How many segments there are. Read by any thread.</summary>
    public int Segments => Volatile.Read(ref _segments);

    /// <summary>What is in them, in bytes. Read by any thread.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>The last record of the oldest segment that is written no more; when it is obsolete the segment can go. Read by any thread.</summary>
    public long FirstEnd => Volatile.Read(ref _firstEnd);

    /// <summary>Whether the system has bytes that a loss of power could take.</summary>
    public bool IsUnflushed => _isDirty || !_flushing.IsCompletedSuccessfully;

    /// <summary>Writes the first chunks, all of one segment; beginning that segment if need be.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask WriteAsync(List<LogChunk> chunks, int count)
    {
        var first = chunks[0];
        if (_segment != first.Segment)
        {
            await SealAsync().ConfigureAwait(false);
            _file = files.Create(SegmentName.Of(first.Segment));
            _segment = first.Segment;
            _length = 0;
            _namesChanged = true;
            Volatile.Write(ref _segments, older.Count + 1);
        }

        _parts.Clear();
        for (var i = 0; i < count; i++)
        {
            _parts.Add(chunks[i].Written);
        }

        _isDirty = true;
        await _file!.WriteAsync(_parts, first.Offset).ConfigureAwait(false);
        var last = chunks[count - 1];
        _last = last.LastSequence;
        Volatile.Write(ref _bytes, _bytes - _length + last.Offset + last.Length);
        _length = last.Offset + last.Length;
    }

    /// <summary>
    /// Begins to bring what was written to the disk, and does not wait for it: a disk may take tens of milliseconds, and what is committed meanwhile needs the system alone. Of a failure
    /// the next call tells. A new name needs the directory too, which is rare: then it waits.
    /// </summary>
    public async ValueTask BeginFlushAsync()
    {
        if (_namesChanged)
        {
            await FlushAsync().ConfigureAwait(false);
        }
        else if (_flushing.IsCompleted)
        {
            await EndFlushingAsync().ConfigureAwait(false);
            if (_isDirty && _file is not null)
            {
                _isDirty = false;
                _flushing = _file.FlushBesideAsync().AsTask();
            }
        }
    }

    /// <summary>Completes when all that was written is on the disk.</summary>
    public async ValueTask FlushAsync()
    {
        await EndFlushingAsync().ConfigureAwait(false);
        if (_isDirty && _file is not null)
        {
            await _file.FlushAsync().ConfigureAwait(false);
            _isDirty = false;
        }

        if (_namesChanged)
        {
            files.FlushNames();
            _namesChanged = false;
        }
    }

    /// <summary>Deletes the segments in which nothing is newer than this, from the oldest on: so what a newer record says of an older one never goes before it.</summary>
    public async ValueTask DeleteAsync(long upTo)
    {
        while (FirstEnd <= upTo)
        {
            // What takes the place of the old must not be lost when the old is gone; nor may the name of a newer segment go first.
            if (durability != Durability.System)
            {
                await FlushAsync().ConfigureAwait(false);
            }

            files.Delete(SegmentName.Of(older[0].Number));
            _namesChanged = true;
            Volatile.Write(ref _bytes, _bytes - older[0].Length);
            older.RemoveAt(0);
            Volatile.Write(ref _segments, older.Count + (_file is null ? 0 : 1));
            Volatile.Write(ref _firstEnd, older.Count > 0 ? older[0].LastSequence : long.MaxValue);
        }
    }

    public void Dispose()
    {
        // Who closes after a failure was told of one already.
        _ = _flushing.ContinueWith(static flushing => flushing.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        _file?.Dispose();
    }

    private async ValueTask EndFlushingAsync()
    {
        if (_flushing.IsCompletedSuccessfully)
        {
            return;
        }

        try
        {
            await _flushing.ConfigureAwait(false);
        }
        catch
        {
            _isDirty = true;
            throw;
        }
        finally
        {
            _flushing = Task.CompletedTask;
        }
    }

    private async ValueTask SealAsync()
    {
        if (_file is null)
        {
            return;
        }

        if (durability != Durability.System)
        {
            await FlushAsync().ConfigureAwait(false);
        }

        older.Add(new SealedSegment(_segment, _last, _length));
        Volatile.Write(ref _firstEnd, older[0].LastSequence);
        _file.Dispose();
        _file = null;
        _segment = 0;
        _isDirty = false;
    }
}
