using Microsoft.Win32.SafeHandles;

namespace Nightjar.Storage;

/// <summary>A directory on the disk. Where the system knows owners and modes, it is for this user alone: 0700, the files 0600.</summary>
internal sealed class DiskLogFiles(string directory) : ILogFiles
{
    private const UnixFileMode OthersWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
    private const UnixFileMode OwnFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnDirectory = OwnFile | UnixFileMode.UserExecute;

    private readonly string _directory = Path.GetFullPath(directory);

    public string? Location => _directory;

    public ILogFile Lock(string name)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(_directory);
        }
        else
        {
            Directory.CreateDirectory(_directory, OwnDirectory);
            RefuseOthers(_directory);
        }

        var file = Open(name, FileMode.OpenOrCreate, FileShare.None);
        try
        {
            if (!OperatingSystem.IsWindows())
            {
                foreach (var path in Directory.EnumerateFiles(_directory))
                {
                    RefuseOthers(path);
                }
            }

            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public IReadOnlyList<string> List() => [.. Directory.EnumerateFiles(_directory).Select(path => Path.GetFileName(path))];

    // The lock is ours and the number new: what has this name was begun by this process, and nothing in it counts.
    public ILogFile Create(string name) => Open(name, FileMode.Create, FileShare.Read);

    public ILogFile Open(string name) => Open(name, FileMode.Open, FileShare.Read);

    public ILogFile? OpenToRead(string name)
    {
        try
        {
            return new DiskLogFile(UnlockedFile.Open(PathOf(name)));
        }
        catch (IOException error) when (error is FileNotFoundException || OperatingSystem.IsWindows())
        {
            return null;
        }
    }

    public void Delete(string name) => File.Delete(PathOf(name));

    public void FlushNames() => DirectoryFlush.Flush(_directory);

    private static void RefuseOthers(string path)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & OthersWrite) != UnixFileMode.None)
        {
            throw new StorageException(
                StorageFailureKind.Unsafe,
                $"Could not open the session store: others may write to {path}, and so could forge or destroy what it holds. Take the right away (chmod go-w), or choose another directory.",
                path);
        }
    }

    private DiskLogFile Open(string name, FileMode mode, FileShare share)
    {
        var path = PathOf(name);
        if (OperatingSystem.IsWindows() || mode == FileMode.Open)
        {
            return new DiskLogFile(File.OpenHandle(path, mode, FileAccess.ReadWrite, share, FileOptions.Asynchronous));
        }

        // Only a stream can be told the mode of a new file.
        var stream = new FileStream(path, new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share, Options = FileOptions.Asynchronous, BufferSize = 0, UnixCreateMode = OwnFile });
        return new DiskLogFile(stream.SafeFileHandle, stream);
    }

    private string PathOf(string name) => Path.Combine(_directory, name);

    private sealed class DiskLogFile(SafeFileHandle handle, FileStream? stream = null) : ILogFile
    {
        public long Length => RandomAccess.GetLength(handle);

        public ValueTask<int> ReadAsync(Memory<byte> destination, long offset) => RandomAccess.ReadAsync(handle, destination, offset);

        public ValueTask WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> parts, long offset) =>
            parts.Count == 1 ? RandomAccess.WriteAsync(handle, parts[0], offset) : RandomAccess.WriteAsync(handle, parts, offset);

        // There is no asynchronous one; the writer runs on the pool and has nothing else to do.
        public ValueTask FlushAsync()
        {
            RandomAccess.FlushToDisk(handle);
            return ValueTask.CompletedTask;
        }

        public ValueTask FlushBesideAsync() => new(Task.Run(() => RandomAccess.FlushToDisk(handle)));

        public void Truncate(long length) => RandomAccess.SetLength(handle, length);

        public void Dispose()
        {
            stream?.Dispose();
            handle.Dispose();
        }
    }
}
