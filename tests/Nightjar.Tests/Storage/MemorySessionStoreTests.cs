using Xunit;

namespace Nightjar.Tests.Storage;

/// <summary>The session that outlives its client.</summary>
public sealed class MemorySessionStoreTests
{
    [Fact]
    public async Task One_client_goes_on_where_another_stopped()
    {
        var store = new MemorySessionStore();
        var large = new byte[3_000_000];
        new Random(1).NextBytes(large);
        await using (var log = await OpenAsync(store, new LogOwner()))
        {
            log.Append(1, large);
            log.Append(2, [2]);
        }

        var found = new LogOwner();
        await using var next = await OpenAsync(store, found);

        Assert.Equal([1, 2], found.Records.Select(record => (int)record.Type));
        Assert.Equal(large, found.Records[0].Payload);
        Assert.True(next.Append(3, [3]) > found.Records[1].Sequence);
    }

    [Fact]
    public async Task One_has_it_open_at_a_time()
    {
        var store = new MemorySessionStore();
        var first = await OpenAsync(store, new LogOwner());
        var error = await Assert.ThrowsAsync<StorageException>(() => OpenAsync(store, new LogOwner()));
        Assert.Equal(StorageFailureKind.InUse, error.Kind);

        await first.DisposeAsync();
        await (await OpenAsync(store, new LogOwner())).DisposeAsync();
    }

    private static Task<ISessionLog> OpenAsync(MemorySessionStore store, LogOwner owner) => store.OpenAsync(owner, owner, TestContext.Current.CancellationToken).AsTask();
}
