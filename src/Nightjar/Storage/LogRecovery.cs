namespace Nightjar.Storage;

/// <summary>Opens the directory of a log: takes the lock, finds out which store it is, and reads what lies there.</summary>
internal sealed class LogRecovery(ILogFiles files, ISessionRecovery records) : IDisposable
{
    private ILogFile? _store;

    private string At => StorageException.At(files.Location);

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
    public async Task RunAsync(CancellationToken cancellationToken)
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
            cancellationToken.ThrowIfCancellationRequested();
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
                    StorageFailureKind.Unreadable,
                    $"Could not open the session store{At}: neither the store file nor any segment has an intact header, so it cannot be read. Move the directory away to begin a new store.",
                    files.Location);
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
                StorageFailureKind.NewerFormat,
                $"Could not open the session store{At}: {name} has format {header.Version}, this version of Nightjar reads up to {LogHeader.CurrentVersion}. Use the newer one that wrote it.",
                files.Location);
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
            Report(number, DamageReason.Foreign, file.Length);
            return;
        }

        if (state == LogHeaderState.Damaged)
        {
            var reason = isNewest && file.Length < LogHeader.Size ? DamageReason.Torn : DamageReason.Header;
            Report(number, reason, Math.Min(file.Length, LogHeader.Size));
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
        Segments.Add(new SealedSegment(number, isDamaged ? RecordSequence.LastOf(number) : reader.LastSequence, file.Length));
    }

    /// <summary>Damage of the whole segment, or in front of all of its records.</summary>
    private void Report(long number, DamageReason reason, long length) => records.Damage(
        new DamagedRecords(RecordSequence.FirstOf(number) - 1, RecordSequence.LastOf(number) + 1, reason, SegmentName.Of(number), Offset: 0, length));
}
