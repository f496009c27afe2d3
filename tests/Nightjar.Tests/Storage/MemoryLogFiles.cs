using Nightjar.Storage;

namespace Nightjar.Tests.Storage;

/// <summary>A directory in memory, which can fail, and can be copied as a killed process or a loss of power would leave it.</summary>
internal sealed class MemoryLogFiles : ILogFiles
{
    private const int Sector = 512;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Content> _files = new(StringComparer.Ordinal);

    public string Location => "/log";

    /// <summary>So many bytes can still be written; then the disk is full, in the middle of a write.</summary>
    public long Room { get; set; } = long.MaxValue;

    /// <summary>Asked before each operation ("write", "flush", "create", "delete", "names"); throws what the operation is to throw.</summary>
    public Action<string>? Before { get; set; }

    /// <summary>What a flush beside the writing waits for.</summary>
    public Func<Task>? FlushesBeside { get; set; }

    /// <summary>Called whenever the content changes; also halfway through a write.</summary>
    public Action? Changed { get; set; }

    public byte[] this[string name]
    {
        get => _files[name].Bytes;
        set => _files[name] = new Content { Bytes = value, Durable = value };
    }

    public MemoryLogFiles Copy()
    {
        lock (_lock)
        {
            var copy = new MemoryLogFiles();
            foreach (var (name, content) in _files)
            {
                copy[name] = [.. content.Bytes];
            }

            return copy;
        }
    }

    /// <summary>Of what was not flushed, any sector may be there or not, and any file that is new.</summary>
    public MemoryLogFiles AfterPowerLoss(Random random)
    {
        lock (_lock)
        {
            var copy = new MemoryLogFiles();
            foreach (var (name, content) in _files.Where(file => file.Value.HasName || random.Next(2) == 0))
            {
                var bytes = new byte[random.Next(content.Durable.Length, content.Bytes.Length + 1)];
                for (var start = 0; start < bytes.Length; start += Sector)
                {
                    var source = random.Next(2) == 0 ? content.Bytes : content.Durable;
                    var length = Math.Min(Math.Min(Sector, bytes.Length - start), source.Length - start);
                    source.AsSpan(Math.Min(start, source.Length), Math.Max(0, length)).CopyTo(bytes.AsSpan(start));
                }

                copy[name] = bytes;
            }

            return copy;
        }
    }

    public ILogFile Lock(string name)
    {
        _files.TryAdd(name, new Content());
        return new MemoryFile(this, _files[name]);
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
        Do("create", () => _files.Add(name, new Content()));
        return new MemoryFile(this, _files[name]);
    }

    public ILogFile Open(string name) => new MemoryFile(this, _files[name]);

    public ILogFile? OpenToRead(string name) => _files.TryGetValue(name, out var content) ? new MemoryFile(this, content) : null;

    public void Delete(string name) => Do("delete", () => _files.Remove(name));

    public void FlushNames() => Do("names", () =>
    {
        foreach (var content in _files.Values)
        {
            content.HasName = true;
        }
    });

    private void Do(string operation, Action change)
    {
        Before?.Invoke(operation);
        lock (_lock)
        {
            change();
        }

        Changed?.Invoke();
    }

    private sealed class Content
    {
        public byte[] Bytes { get; set; } = [];

        public byte[] Durable { get; set; } = [];

        public bool HasName { get; set; }
    }

    private sealed class MemoryFile(MemoryLogFiles files, Content content) : ILogFile
    {
        public long Length => content.Bytes.Length;

        // Short reads, as a file system may give them.
        public ValueTask<int> ReadAsync(Memory<byte> destination, long offset)
        {
            var count = (int)Math.Min(Math.Min(destination.Length, 1000), Math.Max(0, content.Bytes.Length - offset));
            content.Bytes.AsMemory((int)Math.Min(offset, content.Bytes.Length), count).CopyTo(destination);
            return ValueTask.FromResult(count);
        }

        public ValueTask WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> parts, long offset)
        {
            byte[] all = [.. parts.SelectMany(part => part.ToArray())];
            var fits = (int)Math.Min(all.Length, files.Room);
            files.Room -= fits;
            var half = fits / 2;
            files.Do("write", () => Put(all.AsSpan(0, half), offset));
            files.Do("write", () => Put(all.AsSpan(half, fits - half), offset + half));
            return fits == all.Length ? ValueTask.CompletedTask : throw new IOException("No space left on device", 28);
        }

        public ValueTask FlushAsync()
        {
            files.Do("flush", () => content.Durable = [.. content.Bytes]);
            return ValueTask.CompletedTask;
        }

        public async ValueTask FlushBesideAsync()
        {
            if (files.FlushesBeside is { } waiting)
            {
                await waiting();
            }

            await FlushAsync();
        }

        public void Truncate(long length) => content.Bytes = content.Bytes[..(int)length];

        public void Dispose()
        {
        }

        private void Put(ReadOnlySpan<byte> bytes, long offset)
        {
            if (content.Bytes.Length < offset + bytes.Length)
            {
                var longer = new byte[offset + bytes.Length];
                content.Bytes.CopyTo(longer, 0);
                content.Bytes = longer;
            }

            bytes.CopyTo(content.Bytes.AsSpan((int)offset));
        }
    }
}
