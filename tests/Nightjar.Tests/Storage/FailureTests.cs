using System.Collections.Concurrent;
using Nightjar.Storage;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Storage;

/// <summary>A disk that fails: it is said, nothing unwritten counts as committed, and the log goes on when it can.</summary>
public sealed class FailureTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly MemoryLogFiles _files = new();
    private readonly LogOwner _owner = new();

    [Fact]
    public async Task A_full_disk_is_reported_and_survived()
    {
        await using var log = await OpenAsync();
        _files.Room = 100;
        var first = log.Append(1, new byte[500]);
        await Eventually.True(() => !_owner.Failures.IsEmpty);
        var second = log.Append(1, [2]);

        Assert.True(_owner.Failures.TryPeek(out var failure));
        Assert.Equal(StorageFailureKind.DiskFull, failure.Kind);
        Assert.Contains("Make room", failure.Message, StringComparison.Ordinal);
        Assert.Equal(0, _owner.LastCommitted);
        Assert.True(log.Pending > 500);

        _files.Room = long.MaxValue;
        await CommittedAsync(second);

        Assert.Equal(1, _owner.Recoveries);
        Assert.Equal([first, second], (await LogOwner.ReadAsync(_files.Copy())).Records.Select(record => record.Sequence));
    }

    [Fact]
    public async Task After_a_failed_flush_the_records_are_written_again_before_they_count()
    {
        await using var log = await OpenAsync();
        var failures = 1;
        var writesAfterFailure = 0;
        _files.Before = operation =>
        {
            if (operation == "flush" && failures-- > 0)
            {
                throw new IOException("Input/output error", 5);
            }

            writesAfterFailure += operation == "write" && failures <= 0 ? 1 : 0;
        };

        var sequence = log.Append(1, [1]);
        await Eventually.True(() => !_owner.Failures.IsEmpty);
        Assert.Equal(0, _owner.LastCommitted);
        await CommittedAsync(sequence);

        Assert.NotEqual(0, writesAfterFailure);
    }

    [Theory]
    [InlineData("create")]
    [InlineData("write")]
    [InlineData("names")]
    public async Task Any_step_that_fails_is_done_again(string step)
    {
        await using var log = await OpenAsync();
        var left = 3;
        _files.Before = operation =>
        {
            if (operation == step && left-- > 0)
            {
                throw new IOException("Read-only file system", 30);
            }
        };

        await CommittedAsync(log.Append(1, [1]));

        Assert.Equal(3, _owner.Failures.Count);
        Assert.All(_owner.Failures, failure => Assert.Equal(StorageFailureKind.ReadOnly, failure.Kind));
        Assert.Single((await LogOwner.ReadAsync(_files.Copy())).Records);
    }

    [Fact]
    public async Task What_cannot_be_deleted_does_not_keep_the_log_from_writing()
    {
        await using var log = await OpenAsync();
        long last = 0;
        for (var i = 0; i < 10; i++)
        {
            last = log.Append(1, new byte[1000]);
        }

        await CommittedAsync(last);
        var isStuck = true;
        _files.Before = operation =>
        {
            if (operation == "delete" && Volatile.Read(ref isStuck))
            {
                throw new UnauthorizedAccessException();
            }
        };
        log.Obsolete(last);
        await CommittedAsync(log.Append(1, [1]));
        await Eventually.True(() => _owner.Failures.Any(failure => failure is { Kind: StorageFailureKind.Denied, IsWriting: true }));

        Volatile.Write(ref isStuck, false);
        await Eventually.True(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            return !_files.List().Contains(SegmentName.Of(1));
        });
    }

    [Fact]
    public async Task What_is_obsolete_stays_until_what_takes_its_place_is_committed()
    {
        await using var log = await OpenAsync();
        long last = 0;
        for (var i = 0; i < 10; i++)
        {
            last = log.Append(1, new byte[1000]);
        }

        await CommittedAsync(last);
        _files.Room = 0;
        var replacement = log.Append(2, new byte[5000]);
        log.Obsolete(last);
        for (var retry = 1; retry <= 3; retry++)
        {
            await Eventually.True(() => _owner.Failures.Count >= retry);
            Assert.Contains(SegmentName.Of(1), _files.List());
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        _files.Room = long.MaxValue;
        await CommittedAsync(replacement);

        await Eventually.True(() => !_files.List().Contains(SegmentName.Of(4)));
        Assert.Equal(replacement, Assert.Single((await LogOwner.ReadAsync(_files.Copy())).Records).Sequence);
    }

    [Fact]
    public async Task Old_files_go_from_the_oldest_on_and_each_name_is_gone_for_good_before_the_next()
    {
        await using var log = await OpenAsync();
        long last = 0;
        for (var i = 0; i < 12; i++)
        {
            last = log.Append(1, new byte[1000]);
        }

        await CommittedAsync(last);
        var steps = new ConcurrentQueue<string>();
        _files.Before = operation => steps.Enqueue(operation == "delete" ? string.Concat(_files.List().Where(name => name != SegmentName.Store).Order().Select(name => name[15])) : operation);
        log.Obsolete(last);
        await Eventually.True(() => log.Statistics.Segments == 1);

        Assert.Equal("1234,names,234,names,34", string.Join(',', steps));
    }

    [Fact]
    public async Task Obsolete_wakes_nobody_while_no_file_can_go()
    {
        await using var log = await OpenAsync();
        var last = log.Append(1, new byte[1000]);
        await CommittedAsync(last);
        var steps = 0;
        _files.Before = _ => steps++;

        log.Obsolete(last);
        await CommittedAsync(log.Append(1, []));

        // One write in two parts, as this directory does it, one flush, and nothing else.
        Assert.Equal(3, steps);
    }

    [Fact]
    public async Task Closing_while_the_disk_is_full_ends_and_confirms_nothing()
    {
        var log = await OpenAsync();
        _files.Room = 0;
        log.Append(1, [1]);

        await log.DisposeAsync().Soon();

        Assert.NotEmpty(_owner.Failures);
        Assert.Equal(0, _owner.LastCommitted);
    }

    private Task<RecordLog> OpenAsync() => _owner.OpenAsync(
        _files, new FileSessionStoreOptions { Durability = Durability.EveryMessage, SegmentSize = FileSessionStoreOptions.SmallestSegment, TimeProvider = _time });

    private Task CommittedAsync(long sequence) => Eventually.True(() =>
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        return _owner.LastCommitted >= sequence;
    });
}
