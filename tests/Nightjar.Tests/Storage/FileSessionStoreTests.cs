using Xunit;

namespace Nightjar.Tests.Storage;

/// <summary>The store that a user makes.</summary>
public sealed class FileSessionStoreTests : IDisposable
{
    private readonly DirectoryInfo _parent = Directory.CreateTempSubdirectory("nightjar-");

    private string Place => Path.Combine(_parent.FullName, "session");

    public void Dispose() => _parent.Delete(recursive: true);

    [Fact]
    public void One_exception_lists_all_options_that_are_out_of_range()
    {
        var options = new FileSessionStoreOptions { Durability = (Durability)9, FlushInterval = TimeSpan.Zero, RetryInterval = TimeSpan.FromDays(50), SegmentSize = 4095, TimeProvider = null! };

        var error = Assert.Throws<ArgumentException>(() => new FileSessionStore(Place, options));

        Assert.Equal("options", error.ParamName);
        Assert.All(
            [nameof(options.Durability), nameof(options.FlushInterval), nameof(options.RetryInterval), nameof(options.SegmentSize), nameof(options.TimeProvider)],
            name => Assert.Contains($"- {name} is ", error.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_touches_nothing_until_it_is_opened_and_can_be_opened_again()
    {
        var store = new FileSessionStore(Place);
        Assert.False(Directory.Exists(Place));
        Guid identity;
        long sequence;
        await using (var log = await store.OpenAsync(new LogOwner(), new LogOwner(), TestContext.Current.CancellationToken))
        {
            identity = log.StoreId;
            sequence = log.Append(7, [1, 2], [3]);
        }

        var found = new LogOwner();
        await using var next = await store.OpenAsync(found, found, TestContext.Current.CancellationToken);

        Assert.Equal(identity, next.StoreId);
        Assert.Equal((sequence, 7), (Assert.Single(found.Records).Sequence, found.Records[0].Type));
        Assert.Equal([1, 2, 3], found.Records[0].Payload);
    }

    [Fact]
    public async Task An_open_log_says_how_large_it_is()
    {
        await using var log = await new FileSessionStore(Place, new FileSessionStoreOptions { SegmentSize = 4096 }).OpenAsync(new LogOwner(), new LogOwner(), TestContext.Current.CancellationToken);
        Assert.Equal(default, log.Statistics);
        long last = 0;
        for (var i = 0; i < 10; i++)
        {
            last = log.Append(1, new byte[1000]);
        }

        await Eventually.True(() => log.Statistics.Pending == 0);
        Assert.Equal(4, log.Statistics.Segments);
        Assert.Equal(new DirectoryInfo(Place).GetFiles("*.log").Sum(file => file.Length), log.Statistics.Bytes);

        log.Append(1, []);
        log.Obsolete(last);
        await Eventually.True(() => log.Statistics.Segments == 1);
    }
}
