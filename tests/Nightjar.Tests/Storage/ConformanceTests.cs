using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Storage;

/// <summary>Our own stores keep the contract.</summary>
public sealed class ConformanceTests : IDisposable
{
    private readonly DirectoryInfo _parent = Directory.CreateTempSubdirectory("nightjar-");
    private int _stores;

    public static TheoryData<string> Rules => [.. SessionStoreConformance.Rules.Select(rule => rule.Name)];

    public void Dispose() => _parent.Delete(recursive: true);

    [Theory]
    [InlineData(Durability.EveryMessage, false)]
    [InlineData(Durability.Grouped, false)]
    [InlineData(Durability.System, false)]
    [InlineData(Durability.Grouped, true)]
    public Task Files_keep_the_contract(Durability durability, bool isEncrypted)
    {
        // Small files, so that many are begun and go.
        var options = new FileSessionStoreOptions { Durability = durability, SegmentSize = 8192, EncryptionKey = isEncrypted ? Keys.Of(1) : null };
        return SessionStoreConformance.RunAsync(
            () => new FileSessionStore(NewDirectory(), options), store => new FileSessionStore(AfterKill((FileSessionStore)store), options), TestContext.Current.CancellationToken);
    }

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Memory_keeps_the_contract(string rule) =>
        SessionStoreConformance.Rules.Single(one => one.Name == rule).CheckAsync(() => new MemorySessionStore(), cancellationToken: TestContext.Current.CancellationToken);

    private string NewDirectory() => Path.Combine(_parent.FullName, $"{Interlocked.Increment(ref _stores)}");

    /// <summary>What is there now, in the order in which it was written; without the file that is locked, which the others stand in for.</summary>
    private string AfterKill(FileSessionStore store)
    {
        var copy = NewDirectory();
        Directory.CreateDirectory(copy);
        var last = "";
        while (Directory.GetFiles(store.Directory, "*.log").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal).FirstOrDefault(name => string.CompareOrdinal(name, last) > 0) is { } next)
        {
            // When there is a next one, the one before is complete; it may have been in the middle of a write when it was copied.
            CopyOrDrop(last);
            CopyOrDrop(next);
            last = next;
        }

        void CopyOrDrop(string name)
        {
            var target = Path.Combine(copy, name);
            if (name != "")
            {
                try
                {
                    File.Copy(Path.Combine(store.Directory, name), target, overwrite: true);
                }
                catch (FileNotFoundException)
                {
                    // It went while this looked.
                    File.Delete(target);
                }
            }
        }

        return copy;
    }
}
