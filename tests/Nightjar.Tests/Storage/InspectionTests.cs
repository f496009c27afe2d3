using Xunit;

namespace Nightjar.Tests.Storage;

/// <summary>Looking into a store takes no lock and changes nothing.</summary>
public sealed class InspectionTests : IDisposable
{
    private readonly DirectoryInfo _parent = Directory.CreateTempSubdirectory("nightjar-");

    private string Place => Path.Combine(_parent.FullName, "session");

    public void Dispose() => _parent.Delete(recursive: true);

    [Fact]
    public async Task A_store_can_be_read_while_its_owner_writes_and_opened_while_it_is_read()
    {
        var store = new FileSessionStore(Place, new FileSessionStoreOptions { SegmentSize = 4096 });
        var owner = new LogOwner();
        var log = await OpenAsync(store, owner);
        for (var round = 0; round < 20; round++)
        {
            long last = 0;
            for (var i = 0; i < 10; i++)
            {
                last = log.Append(1, new byte[500]);
            }

            await Eventually.True(() => owner.LastCommitted == last);
            var seen = new LogOwner();
            var inspection = await store.ReadAsync(seen, TestContext.Current.CancellationToken);

            Assert.Equal(log.StoreId, inspection.StoreId);
            Assert.Equal(last, seen.Records[^1].Sequence);
            Assert.Equal((log.Statistics.Segments, log.Statistics.Bytes), (inspection.Segments, inspection.Bytes));
            Assert.False(inspection.IsEncrypted);
        }

        await log.DisposeAsync();
        ISessionLog? next = null;
        await store.ReadAsync(new OnFirstRecord(() => next ??= OpenAsync(store, new LogOwner()).GetAwaiter().GetResult()), TestContext.Current.CancellationToken);
        Assert.NotNull(next);
        await next.DisposeAsync();
    }

    [Fact]
    public async Task It_changes_nothing_also_where_opening_would()
    {
        var store = new FileSessionStore(Place, new FileSessionStoreOptions { EncryptionKey = Keys.Of(1) });
        await using (var log = await OpenAsync(store, new LogOwner()))
        {
            log.Append(1, [1]);
            log.Append(1, [2]);
        }

        var path = Path.Combine(Place, "0000000000000001.log");
        await using (var file = File.Open(path, FileMode.Open))
        {
            file.SetLength(file.Length - 5);
        }

        File.Delete(Path.Combine(Place, "store"));
        var before = await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken);

        var seen = new LogOwner();
        var inspection = await store.ReadAsync(seen, TestContext.Current.CancellationToken);

        Assert.True(inspection.IsEncrypted);
        Assert.Single(seen.Records);
        Assert.Equal(DamageReason.Torn, Assert.Single(seen.Stretches).Reason);
        Assert.Equal([path], Directory.GetFiles(Place));
        Assert.Equal(before, await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Where_there_is_no_store_it_says_so_and_makes_none()
    {
        var error = await Assert.ThrowsAsync<StorageException>(() => new FileSessionStore(Place).ReadAsync(new LogOwner(), TestContext.Current.CancellationToken).AsTask());

        Assert.Equal(StorageFailureKind.NotFound, error.Kind);
        Assert.Equal(Place, error.Path);
        Assert.Contains(Place, error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Place));
    }

    private static Task<ISessionLog> OpenAsync(FileSessionStore store, LogOwner owner) => store.OpenAsync(owner, owner, TestContext.Current.CancellationToken).AsTask();

    private sealed class OnFirstRecord(Action action) : ISessionRecovery
    {
        public void Record(long sequence, byte type, ReadOnlySpan<byte> payload) => action();

        public void Damage(in DamagedRecords stretch)
        {
        }
    }
}
