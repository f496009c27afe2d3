namespace Nightjar.Bench.Work;

/// <summary>A directory for one store, which goes when this is disposed.</summary>
internal sealed class StoreDirectory : IDisposable
{
    /// <param name="parent">Where it is made; on the disk that is to be measured.</param>
    public StoreDirectory(string parent)
    {
        Path = System.IO.Path.Combine(System.IO.Path.GetFullPath(parent), $"nightjar-bench-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    public string Path { get; }

    /// <summary>The session that lies here.</summary>
    public FileSessionStore Open(Durability durability) => new(Path, new FileSessionStoreOptions { Durability = durability });

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
