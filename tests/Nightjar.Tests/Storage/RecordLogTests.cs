using FsCheck;
using FsCheck.Fluent;
using Nightjar.Storage;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Storage;

/// <summary>What is appended comes back, in order, and is committed when it is where the durability says.</summary>
public sealed class RecordLogTests
{
    private static readonly FileSessionStoreOptions Small = new() { Durability = Durability.EveryMessage, SegmentSize = FileSessionStoreOptions.SmallestSegment };

    [Fact]
    public Task Any_records_come_back_as_they_were() => Task.Run(() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(200).WithEndSize(300).WithQuietOnSuccess(true),
        Prop.ForAll<byte[][]>(payloads => Task.Run(() => RoundTripAsync(payloads)).Wait())));

    [Theory]
    [InlineData(0)]
    [InlineData(5_000)]
    [InlineData(70_000)]
    [InlineData(3_000_000)]
    public Task A_record_larger_than_a_segment_comes_back(int size)
    {
        var large = new byte[size];
        new Random(size).NextBytes(large);
        return RoundTripAsync([[1], large, [2, 3]]);
    }

    [Fact]
    public async Task Records_of_many_appenders_all_come_back_in_order()
    {
        const int Appenders = 8;
        const int Each = 2_000;
        var files = new MemoryLogFiles();
        var owner = new LogOwner();
        await using (var log = await owner.OpenAsync(files, new FileSessionStoreOptions { SegmentSize = 64 * 1024 }))
        {
            await Task.WhenAll(Enumerable.Range(0, Appenders).Select(appender => Task.Run(() =>
            {
                var last = 0L;
                for (var i = 0; i < Each; i++)
                {
                    var sequence = log.Append((byte)appender, BitConverter.GetBytes(i));
                    Assert.True(sequence > last);
                    last = sequence;
                }
            })));
        }

        var found = await LogOwner.ReadAsync(files);
        Assert.True(owner.IsInOrder);
        Assert.Equal(found.Records[^1].Sequence, owner.LastCommitted);
        Assert.Equal(found.Records.Select(record => record.Sequence).Order(), found.Records.Select(record => record.Sequence));
        Assert.All(Enumerable.Range(0, Appenders), appender => Assert.Equal(
            Enumerable.Range(0, Each), found.Records.Where(record => record.Type == appender).Select(record => BitConverter.ToInt32(record.Payload))));
    }

    [Fact]
    public async Task A_number_is_never_given_twice_even_if_the_record_is_lost()
    {
        var files = new MemoryLogFiles();
        long lost;
        await using (var log = await new LogOwner().OpenAsync(files))
        {
            log.Append(1, [1]);
            lost = log.Append(1, [2]);
        }

        files[SegmentName.Of(1)] = files[SegmentName.Of(1)][..^1];
        await using var next = await new LogOwner().OpenAsync(files);

        Assert.True(next.Append(1, [3]) > lost);
    }

    [Fact]
    public async Task Every_message_is_committed_only_after_its_flush()
    {
        var files = new MemoryLogFiles();
        var owner = new LogOwner();
        await using var log = await owner.OpenAsync(files);
        var before = -1L;
        files.Before = operation => before = operation == "flush" ? owner.LastCommitted : before;

        var sequence = log.Append(1, [1]);
        await Eventually.True(() => owner.LastCommitted == sequence);

        Assert.Equal(0, before);
    }

    [Fact]
    public async Task Grouped_commits_at_once_and_flushes_when_the_interval_is_over()
    {
        var time = new ManualTimeProvider();
        var files = new MemoryLogFiles();
        var owner = new LogOwner();
        await using var log = await owner.OpenAsync(files, new FileSessionStoreOptions { TimeProvider = time });
        var flushes = 0;
        files.Before = operation => flushes += operation == "flush" ? 1 : 0;

        var sequence = log.Append(1, [1]);
        await Eventually.True(() => owner.LastCommitted == sequence);
        Assert.Equal(0, Volatile.Read(ref flushes));

        await Eventually.True(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            return Volatile.Read(ref flushes) == 1;
        });
    }

    [Fact]
    public async Task Grouped_commits_go_on_while_the_disk_takes_its_time_and_its_failure_is_told()
    {
        var time = new ManualTimeProvider();
        var files = new MemoryLogFiles();
        var owner = new LogOwner();
        var disk = new TaskCompletionSource();
        await using var log = await owner.OpenAsync(files, new FileSessionStoreOptions { TimeProvider = time });
        var first = log.Append(1, [1]);
        await Eventually.True(() => owner.LastCommitted == first);

        // The first flush has a new name to bring to the disk as well; the one after that goes beside.
        var flushes = 0;
        files.FlushesBeside = () =>
        {
            Interlocked.Increment(ref flushes);
            return disk.Task;
        };
        await Eventually.True(() =>
        {
            log.Append(1, [2]);
            time.Advance(TimeSpan.FromMilliseconds(100));
            return Volatile.Read(ref flushes) == 1;
        });

        var during = log.Append(1, [3]);
        await Eventually.True(() => owner.LastCommitted == during);
        Assert.False(disk.Task.IsCompleted);

        files.FlushesBeside = null;
        disk.SetException(new IOException("Input/output error", 5));
        await Eventually.True(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return owner.Recoveries == 1;
        });
        Assert.Single(owner.Failures);
    }

    [Fact]
    public async Task Segments_with_nothing_but_obsolete_records_are_deleted()
    {
        var files = new MemoryLogFiles();
        var owner = new LogOwner();
        var sequences = new List<long>();
        await using (var log = await owner.OpenAsync(files, Small))
        {
            for (var i = 0; i < 20; i++)
            {
                sequences.Add(log.Append(1, new byte[1000]));
            }

            await Eventually.True(() => owner.LastCommitted == sequences[^1]);
            log.Obsolete(sequences[9]);
            await Eventually.True(() => !files.List().Contains(SegmentName.Of(1)));
        }

        var found = await LogOwner.ReadAsync(files);
        Assert.True(found.Records[0].Sequence > sequences[0]);
        Assert.Equal(sequences[10..], found.Records.Select(record => record.Sequence).SkipWhile(sequence => sequence <= sequences[9]));
    }

    [Fact]
    public async Task Old_files_go_also_while_records_come_without_end()
    {
        var files = new MemoryLogFiles();
        var owner = new LogOwner();
        await using var log = await owner.OpenAsync(files, Small);
        var isOver = false;

        // Whenever a batch is written, more has been appended, and more made obsolete.
        files.Before = operation =>
        {
            if (operation == "write" && !Volatile.Read(ref isOver))
            {
                log.Obsolete(log.Append(1, new byte[1000]) - 1);
            }
        };
        log.Append(1, new byte[1000]);

        await Eventually.True(() => !files.List().Contains(SegmentName.Of(3)) && files.List().Any(name => string.CompareOrdinal(name, SegmentName.Of(5)) > 0));
        Volatile.Write(ref isOver, true);
    }

    [Fact]
    public async Task A_closed_log_takes_no_records()
    {
        var log = await new LogOwner().OpenAsync(new MemoryLogFiles());
        await log.DisposeAsync();

        Assert.Throws<ObjectDisposedException>(() => log.Append(1, [1]));
    }

    [Fact]
    public async Task Appending_allocates_nothing_once_the_buffers_are_there()
    {
        var files = new MemoryLogFiles();
        var owner = new LogOwner();
        await using var log = await owner.OpenAsync(files, new FileSessionStoreOptions { Durability = Durability.System });
        var payload = new byte[100];
        long Burst()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 500; i++)
            {
                log.Append(1, payload);
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        for (var warm = 0; warm < 20; warm++)
        {
            Burst();
            await Eventually.True(() => log.Pending == 0);
        }

        // The pool of arrays may be trimmed at any moment; a record that allocates would show in each burst.
        var least = long.MaxValue;
        for (var measured = 0; measured < 5; measured++)
        {
            least = Math.Min(least, Burst());
            await Eventually.True(() => log.Pending == 0);
        }

        Assert.Equal(0, least);
    }

    private static async Task RoundTripAsync(byte[][] payloads)
    {
        var files = new MemoryLogFiles();
        var owner = new LogOwner();
        var appended = new List<(long, byte, byte[])>();
        await using (var log = await owner.OpenAsync(files, Small))
        {
            foreach (var payload in payloads)
            {
                var type = (byte)payload.Length;
                var cut = payload.Length / 3;
                appended.Add((log.Append(type, payload.AsSpan(0, cut), payload.AsSpan(cut)), type, payload));
            }
        }

        var found = await LogOwner.ReadAsync(files);
        Assert.Empty(found.Stretches);
        Assert.Equal(appended.Select(record => record.Item1), found.Records.Select(record => record.Sequence));
        Assert.All(appended.Zip(found.Records), pair =>
        {
            Assert.Equal(pair.First.Item2, pair.Second.Type);
            Assert.Equal(pair.First.Item3, pair.Second.Payload);
        });
        Assert.Equal(appended.Count == 0 ? 0 : appended[^1].Item1, owner.LastCommitted);
        Assert.Empty(owner.Failures);
    }
}
