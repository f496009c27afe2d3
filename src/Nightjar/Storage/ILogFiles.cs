namespace Nightjar.Storage;

/// <summary>The directory of a log; tests put one in its place that fails. Methods throw what the file system throws.</summary>
internal interface ILogFiles
{
    /// <summary>The path of the directory, for messages; null if it has none.</summary>
    string? Location { get; }

    /// <summary>Makes the directory if it is not there, and takes the lock on it.</summary>
    /// <exception cref="StorageException">Others could write there, or somebody has the lock.</exception>
    ILogFile Lock(string name);

    /// <summary>The names of the files in it.</summary>
    IReadOnlyList<string> List();

    /// <summary>A file that is not there yet.</summary>
    ILogFile Create(string name);

    /// <summary>A file that is there.</summary>
    ILogFile Open(string name);

    /// <summary>A file that is only looked at, without a lock, whoever else has it open; null if it is not there, or the system does not let us.</summary>
    ILogFile? OpenToRead(string name);

    void Delete(string name);

    /// <summary>After that, files that were made or deleted are so after a loss of power too.</summary>
    void FlushNames();
}

/// <summary>One file of a log.</summary>
internal interface ILogFile : IDisposable
{
    long Length { get; }

    /// <summary>Fewer bytes than there is room for: as at the end.</summary>
    ValueTask<int> ReadAsync(Memory<byte> destination, long offset);

    /// <summary>All of it, or an exception; then any part of it may have been written.</summary>
    ValueTask WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> parts, long offset);

    /// <summary>Completes when what was written is on the disk.</summary>
    ValueTask FlushAsync();

    /// <summary>The same, for a caller that goes on writing meanwhile: what it writes from now on may be left out.</summary>
    ValueTask FlushBesideAsync() => FlushAsync();

    void Truncate(long length);
}
