namespace Nightjar.Storage;

/// <summary>A directory that is only memory. Thread-safe, since the writer of a log and who opens it next may meet.</summary>
internal sealed class VolatileLogFiles : ILogFiles
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, VolatileFile> _files = new(StringComparer.Ordinal);
    private bool _isLocked;

    public string? Location => null;

    public ILogFile Lock(string name)
    {
        lock (_lock)
        {
            if (_isLocked)
            {
                throw new StorageException(
                    StorageFailureKind.InUse, "Could not open the session store in memory: another client has it open. Dispose that client first; one store belongs to one at a time.");
            }

            _isLocked = true;
            if (!_files.TryGetValue(name, out var file))
            {
                _files.Add(name, file = new VolatileFile(Unlock));
            }

            return file;
        }
    }

    public IReadOnlyList<string> List()
    {
        lock (_lock)
        {
            return [.. _files.Keys];
        }
    }

    public ILogFile Create(string name)
    {
        lock (_lock)
        {
            return _files[name] = new VolatileFile();
        }
    }

    public ILogFile Open(string name)
    {
        lock (_lock)
        {
            return _files[name];
        }
    }

    public ILogFile? OpenToRead(string name) => throw new NotSupportedException("A store in memory is not inspected.");

    public void Delete(string name)
    {
        lock (_lock)
        {
            _files.Remove(name);
        }
    }

    public void FlushNames()
    {
    }

    private void Unlock()
    {
        lock (_lock)
        {
            _isLocked = false;
        }
    }
}
