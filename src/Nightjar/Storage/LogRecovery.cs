namespace Nightjar.Storage;

/// <summary>Opens the directory of a log: takes the lock, finds out which store it is, and reads what lies there.</summary>
internal sealed class LogRecovery(ILogFiles files, IRecoveredRecords records) : IDisposable
{
    private ILogFile? _store;

    public Guid StoreId { get; private set; }

    public List<SealedSegment> Segments { get; } = [];

    /// <summary>The number of the segment that comes next.</summary>
    public long NextSegment { get; private set; } = 1;

    /// <summary>The lock is the caller's from here on.</summary>
    public ILogFile TakeLock()
    {
        var store = _store!;
        _store = null;
        return store;
    }

    /// <exception cref="StorageException">The directory cannot be used. It is as it was.</exception>
    public async Task RunAsync()
    {
        _store = files.Lock(SegmentName.Store);
        var numbers = new List<long>();
        foreach (var name in files.List())
        {
            if (SegmentName.TryParse(name, out var number))
            {
                numbers.Add(number);
            }
        }

        numbers.Sort();
        await IdentifyAsync(numbers).ConfigureAwait(false);
        foreach (var number in numbers)
        {
            await ReadSegmentAsync(number, isNewest: number == numbers[^1]).ConfigureAwait(false);
            NextSegment = number + 1;
        }
    }

    public void Dispose() => _store?.Dispose();

    /// <summary>Looks at all headers before anything is changed, so that a newer version's store stays as it is.</summary>
    private async Task IdentifyAsync(List<long> numbers)
    {
        var (state, header) = await HeaderAsync(_store!, SegmentName.Store).ConfigureAwait(false);
        var isKnown = state == LogHeaderState.Intact;
        var identity = header.StoreId;
        foreach (var number in numbers)
        {
            var name = SegmentName.Of(number);
            using var file = files.Open(name);
            (state, header) = await HeaderAsync(file, name).ConfigureAwait(false);
            if (!isKnown && state == LogHeaderState.Intact)
            {
                (isKnown, identity) = (true, header.StoreId);
                await WriteIdentityAsync(identity).ConfigureAwait(false);
            }
        }

        if (!isKnown)
        {
            if (numbers.Count > 0)
            {
                throw new StorageException(
                    StorageFailureKind.Unreadable, "The log cannot be read: neither the store file nor any segment has an intact header. Move the directory away to begin a new store.");
            }

            identity = Guid.NewGuid();
            await WriteIdentityAsync(identity).ConfigureAwait(false);
        }

        StoreId = identity;
    }

    private async Task<(LogHeaderState State, LogHeader Header)> HeaderAsync(ILogFile file, string name)
    {
        using var reader = new SegmentReader(file, segment: 0, default, records);
        var (state, header) = await reader.ReadHeaderAsync().ConfigureAwait(false);
        return state != LogHeaderState.Newer
            ? (state, header)
            : throw new StorageException(
                StorageFailureKind.NewerFormat, $"The log was written by a newer version: {name} has format {header.Version}, this version reads up to {LogHeader.CurrentVersion}. Use the newer one.");
    }

    /// <summary>On the disk before the first segment is, whose header says it again.</summary>
    private async Task WriteIdentityAsync(Guid identity)
    {
        var bytes = new byte[LogHeader.Size];
        new LogHeader(LogHeader.CurrentVersion, identity, Segment: 0).Write(bytes);
        await _store!.WriteAsync([bytes], 0).ConfigureAwait(false);
        await _store.FlushAsync().ConfigureAwait(false);
        files.FlushNames();
    }

    private async Task ReadSegmentAsync(long number, bool isNewest)
    {
        using var file = files.Open(SegmentName.Of(number));
        using var reader = new SegmentReader(file, number, new RecordFrame(StoreId), records);
        var (state, header) = await reader.ReadHeaderAsync().ConfigureAwait(false);
        if (state == LogHeaderState.Intact && (header.StoreId != StoreId || header.Segment != number))
        {
            records.Damage(new DamagedStretch(number, 0, file.Length, DamageReason.Foreign, 0, 0));
            return;
        }

        if (state == LogHeaderState.Damaged)
        {
            var reason = isNewest && file.Length < LogHeader.Size ? DamageReason.Torn : DamageReason.Header;
            records.Damage(new DamagedStretch(number, 0, Math.Min(file.Length, LogHeader.Size), reason, 0, 0));
        }

        await reader.ReadAsync(isNewest).ConfigureAwait(false);
        if (isNewest)
        {
            if (file.Length > reader.IntactUpTo)
            {
                file.Truncate(reader.IntactUpTo);
            }

            // The process that wrote it may have been killed before its fsync. What is built on these records now must not outlive them.
            await file.FlushAsync().ConfigureAwait(false);
            files.FlushNames();
        }

        // Of a damaged segment nobody knows what else it held: it goes only with the last number that it could have had.
        var isDamaged = state == LogHeaderState.Damaged || reader.IsDamaged;
        Segments.Add(new SealedSegment(number, isDamaged ? RecordSequence.LastOf(number) : reader.LastSequence));
    }
}
