using Nightjar.Storage;
using Xunit;

namespace Nightjar.Tests.Storage;

/// <summary>Whatever is done to the bytes: records whose own are intact come back, before and after the damage, and no others.</summary>
public sealed class DamageTests
{
    private const string Segment = "0000000000000001.log";

    private static readonly byte[][] Payloads = [[1, 2, 3], new byte[40], [.. Enumerable.Range(0, 70).Select(i => (byte)i)], [], [9], [8, 8, 8, 8, 8, 8, 8, 8], [7, 7]];

    [Fact]
    public async Task A_cut_at_any_byte_of_the_last_two_records_loses_only_what_it_cuts()
    {
        var (files, places) = await WriteAsync();
        for (var end = places[^2].Start; end < places[^1].End; end++)
        {
            var cut = files.Copy();
            cut[Segment] = cut[Segment][..end];

            var found = await LogOwner.ReadAsync(cut);

            Assert.Equal(places.Where(place => place.End <= end).Select(place => place.Sequence), found.Records.Select(record => record.Sequence));
            Assert.All(found.Stretches, stretch => Assert.Equal(DamageReason.Torn, stretch.Reason));
            Assert.Equal(places.Last(place => place.End <= end).End, cut[Segment].Length);
        }
    }

    [Theory]
    [InlineData(0x00, 0x00)]
    [InlineData(0xFF, 0x01)]
    [InlineData(0xFF, 0x80)]
    [InlineData(0xFF, 0xA5)]
    public async Task Any_byte_of_the_last_two_records_zeroed_or_scrambled_loses_only_its_record(int and, int xor)
    {
        var (files, places) = await WriteAsync();
        for (var at = places[^2].Start; at < places[^1].End; at++)
        {
            var damaged = files.Copy();
            damaged[Segment][at] = (byte)((damaged[Segment][at] & and) ^ xor);
            await AssertOnlyIntactAsync(files, damaged, places);
        }
    }

    [Fact]
    public async Task Random_blocks_lose_only_the_records_that_they_touch()
    {
        var (files, places) = await WriteAsync();
        for (var seed = 0; seed < 1000; seed++)
        {
            var random = new Random(seed);
            var damaged = files.Copy();
            var bytes = damaged[Segment];
            var block = bytes.AsSpan(random.Next(bytes.Length));
            block = block[..Math.Min(block.Length, random.Next(1, 200))];
            if (seed % 3 == 0)
            {
                block.Clear();
            }
            else
            {
                random.NextBytes(block);
            }

            await AssertOnlyIntactAsync(files, damaged, places);
        }
    }

    [Fact]
    public async Task Damage_is_reported_with_its_place_and_what_is_lost()
    {
        var (files, places) = await WriteAsync();
        files[Segment][places[2].Start + 30] ^= 1;

        var found = await LogOwner.ReadAsync(files);

        var (start, end, _) = places[2];
        Assert.Equal([new DamagedRecords(places[1].Sequence, places[3].Sequence, DamageReason.Checksum, Segment, start, end - start)], found.Stretches);
    }

    [Fact]
    public async Task A_record_inside_a_payload_is_none_even_when_the_one_around_it_is_damaged()
    {
        var files = new MemoryLogFiles();
        var owner = new LogOwner();
        long inner;
        await using (var log = await owner.OpenAsync(files))
        {
            inner = log.Append(1, [1, 2, 3]);
            await Eventually.True(() => owner.LastCommitted == inner);
            log.Append(1, files[Segment]);
        }

        // The payload of the second holds the first, at a multiple of 8.
        files[Segment][LogHeader.Size + RecordFrame.SizeOf(3) + 8] ^= 1;
        var found = await LogOwner.ReadAsync(files);

        Assert.Equal([inner], found.Records.Select(record => record.Sequence));
        Assert.Single(found.Stretches);
    }

    [Fact]
    public async Task A_newer_format_is_refused_and_left_as_it_is()
    {
        var (files, _) = await WriteAsync();
        LogHeader.Read(files[Segment], out var header);
        (header with { Version = 2 }).Write(files[Segment]);
        var before = files.Copy();

        var error = await Assert.ThrowsAsync<StorageException>(() => LogOwner.ReadAsync(files));

        Assert.Equal(StorageFailureKind.NewerFormat, error.Kind);
        Assert.Contains("format 2", error.Message, StringComparison.Ordinal);
        Assert.Equal(before[Segment], files[Segment]);
    }

    [Fact]
    public async Task A_lost_store_file_is_made_again_from_a_segment()
    {
        var (files, places) = await WriteAsync();
        files[SegmentName.Store] = new byte[10];

        var first = await LogOwner.ReadAsync(files);
        files[Segment].AsSpan(0, LogHeader.Size).Clear();
        var second = await LogOwner.ReadAsync(files);

        Assert.Equal(places.Count, first.Records.Count);
        Assert.Equal(places.Count, second.Records.Count);
    }

    [Fact]
    public async Task A_directory_that_does_not_say_which_store_it_is_is_refused()
    {
        var (files, _) = await WriteAsync();
        files[SegmentName.Store] = [];
        files[Segment].AsSpan(0, LogHeader.Size).Clear();

        Assert.Equal(StorageFailureKind.Unreadable, (await Assert.ThrowsAsync<StorageException>(() => LogOwner.ReadAsync(files))).Kind);
    }

    [Fact]
    public async Task A_segment_of_another_store_is_reported_and_left_alone()
    {
        var (files, places) = await WriteAsync();
        var (others, _) = await WriteAsync();
        files[SegmentName.Of(7)] = others[Segment];

        var found = await LogOwner.ReadAsync(files);

        Assert.Equal(places.Count, found.Records.Count);
        Assert.Equal(DamageReason.Foreign, Assert.Single(found.Stretches).Reason);
        Assert.Contains(SegmentName.Of(7), files.List());
    }

    [Fact]
    public void The_checksum_is_the_one_that_the_name_says() => Assert.Equal(0xE3069283u, Crc32C.Of("123456789"u8));

    private static async Task AssertOnlyIntactAsync(MemoryLogFiles original, MemoryLogFiles damaged, List<(int Start, int End, long Sequence)> places)
    {
        var before = original[Segment];
        var after = damaged[Segment].ToArray();
        var intact = places.Where(place => before.AsSpan()[place.Start..place.End].SequenceEqual(after.AsSpan()[place.Start..place.End])).Select(place => place.Sequence).ToList();

        var found = await LogOwner.ReadAsync(damaged);

        Assert.Equal(intact, found.Records.Select(record => record.Sequence));
        Assert.All(found.Records, record => Assert.Equal(Payloads[places.FindIndex(place => place.Sequence == record.Sequence)], record.Payload));
        Assert.Equal(before.AsSpan().SequenceEqual(after), found.Stretches.Count == 0);
    }

    private static async Task<(MemoryLogFiles Files, List<(int Start, int End, long Sequence)> Places)> WriteAsync()
    {
        var files = new MemoryLogFiles();
        var places = new List<(int Start, int End, long Sequence)>();
        await using (var log = await new LogOwner().OpenAsync(files))
        {
            var start = LogHeader.Size;
            foreach (var payload in Payloads)
            {
                places.Add((start, start + RecordFrame.SizeOf(payload.Length), log.Append(3, payload)));
                start = places[^1].End;
            }
        }

        Assert.Equal(places[^1].End, files[Segment].Length);
        return (files, places);
    }
}
