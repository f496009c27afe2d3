namespace Nightjar.Storage;

/// <summary>Opens the directory of a log: takes the lock, finds out which store it is, and reads what lies there. Or only reads it, beside whoever has it open, and changes nothing.</summary>
internal sealed class LogRecovery(ILogFiles files, RecordKeys keys, ISessionRecovery records, bool isReadOnly = false) : IDisposable
{
    private ILogFile? _store;

    public Guid StoreId { get; private set; }

    public List<SealedSegment> Segments { get; } = [];

    /// <summary>The number of the segment that comes next.</summary>
    public long NextSegment { get; private set; } = 1;

    /// <summary>Whether records of it are encrypted.</summary>
    public bool IsEncrypted { get; private set; }

    private string At => StorageException.At(files.Location);

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
        cancellationToken.ThrowIfCancellationRequested();
        _store = isReadOnly ? files.OpenToRead(SegmentName.Store) : files.Lock(SegmentName.Store);
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

    /// <summary>Looks at all headers before anything is changed, so that a newer version's store, and one of which we do not have the key, stay as they are.</summary>
    private async Task IdentifyAsync(List<long> numbers)
    {
        var headers = new List<(string Name, LogHeader Header)>();
        var isNamed = await AddHeaderAsync(_store, SegmentName.Store, headers).ConfigureAwait(false);
        foreach (var number in numbers)
        {
            var name = SegmentName.Of(number);
            using var file = Open(name);
            await AddHeaderAsync(file, name, headers).ConfigureAwait(false);
        }

        if (headers.Count == 0 && numbers.Count > 0)
        {
            throw new StorageException(
                StorageFailureKind.Unreadable,
                $"Could not open the session store{At}: neither the store file nor any segment has an intact header, so it cannot be read. Move the directory away to begin a new store.",
                files.Location);
        }

        StoreId = headers.Count > 0 ? headers[0].Header.StoreId : isReadOnly ? default : Guid.NewGuid();
        keys.Identify(StoreId);
        CheckKeys(headers);
        if (!isNamed && !isReadOnly)
        {
            await WriteIdentityAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask<bool> AddHeaderAsync(ILogFile? file, string name, List<(string Name, LogHeader Header)> headers)
    {
        if (file is null)
        {
            return false;
        }

        using var reader = new SegmentReader(file, segment: 0, default, keys, records);
        var (state, header) = await reader.ReadHeaderAsync().ConfigureAwait(false);
        switch (state)
        {
            case LogHeaderState.Newer:
                throw new StorageException(
                    StorageFailureKind.NewerFormat,
                    $"Could not open the session store{At}: {name} has format {header.Version}, this version of Nightjar reads up to {LogHeader.CurrentVersion}. Use the newer one that wrote it.",
                    files.Location);
            case LogHeaderState.Intact:
                headers.Add((name, header));
                return true;
            default:
                return false;
        }
    }

    private void CheckKeys(List<(string Name, LogHeader Header)> headers)
    {
        foreach (var (name, header) in headers)
        {
            if (header.StoreId != StoreId || header.Segment == 0)
            {
                continue;
            }

            IsEncrypted |= header.KeyId != 0;
            keys.Check(name, header);
            if (header.KeyId == 0 && !keys.AllowsPlain)
            {
                throw new StorageException(
                    StorageFailureKind.NotEncrypted,
                    $"Could not open the session store{At}: there is an encryption key, but the records of {name} are not encrypted. Somebody may have put them there; if the store was begun without a "
                    + $"key, set {nameof(FileSessionStoreOptions.AllowUnencryptedRecords)} until they are gone.",
                    files.Location);
            }
        }
    }

    /// <summary>On the disk before the first segment is, whose header says it again.</summary>
    private async Task WriteIdentityAsync()
    {
        var bytes = new byte[LogHeader.Size];
        new LogHeader(LogHeader.CurrentVersion, StoreId, Segment: 0).Write(bytes);
        await _store!.WriteAsync([bytes], 0).ConfigureAwait(false);
        await _store.FlushAsync().ConfigureAwait(false);
        files.FlushNames();
    }

    private async Task ReadSegmentAsync(long number, bool isNewest)
    {
        using var file = Open(SegmentName.Of(number));
        if (file is null)
        {
            return;
        }

        using var reader = new SegmentReader(file, number, new RecordFrame(StoreId), keys, records);
        var (state, header) = await reader.ReadHeaderAsync().ConfigureAwait(false);
        if (state == LogHeaderState.Intact && (header.StoreId != StoreId || header.Segment != number))
        {
            Report(number, DamageReason.Foreign, file.Length);
            return;
        }

        // The newest may be empty: it was made, and nothing had been written when the process was killed.
        if (state == LogHeaderState.Damaged && !(isNewest && file.Length == 0))
        {
            var reason = isNewest && file.Length < LogHeader.Size ? DamageReason.Torn : DamageReason.Header;
            Report(number, reason, Math.Min(file.Length, LogHeader.Size));
        }

        await reader.ReadAsync(isNewest).ConfigureAwait(false);
        if (isNewest && !isReadOnly)
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

    /// <summary>Null if it is gone by now, which happens when nobody keeps its owner from deleting it.</summary>
    private ILogFile? Open(string name) => isReadOnly ? files.OpenToRead(name) : files.Open(name);

    /// <summary>Damage of the whole segment, or in front of all of its records.</summary>
    private void Report(long number, DamageReason reason, long length) => records.Damage(
        new DamagedRecords(RecordSequence.FirstOf(number) - 1, RecordSequence.LastOf(number) + 1, reason, SegmentName.Of(number), Offset: 0, length));
}
