using Nightjar.Protocol.Engine;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

public sealed class OutputLaneTests
{
    private readonly OutputLane _lane = new();

    [Fact]
    public void Bytes_leave_in_order_and_whole()
    {
        var expected = new List<byte>();
        for (var i = 0; i < 3_000; i++)
        {
            expected.AddRange(Append(1 + (i % 97), (byte)i));
        }

        Assert.Equal(expected.Count, _lane.Length);
        Assert.Equal(expected, Take(committed: 0));
        Assert.Equal(0, _lane.Length);
        Assert.Equal(expected.Count, _lane.Position);
        Assert.Empty(Take(committed: 0));
    }

    [Fact]
    public void A_packet_larger_than_a_block_is_whole_too()
    {
        var expected = Append(10, 1).Concat(Append(200_000, 2)).Concat(Append(10, 3)).ToList();

        Assert.Equal(expected, Take(committed: 0));
    }

    [Fact]
    public void Bytes_leave_only_up_to_the_committed_record()
    {
        var free = Append(5, 1);
        var waits = Append(7, 2, lsn: 1);
        var behind = Append(3, 3);
        var waitsLonger = Append(4, 4, lsn: 2);

        Assert.Equal(free, Take(committed: 0));
        Assert.Empty(Take(committed: 0));
        Assert.Equal([.. waits, .. behind], Take(committed: 1));
        var last = Append(2, 5);
        Assert.Empty(Take(committed: 1));
        Assert.Equal([.. waitsLonger, .. last], Take(committed: 2));
    }

    [Fact]
    public void Parts_of_many_blocks_leave_in_order()
    {
        var random = new Random(7);
        var expected = new List<byte>();
        var actual = new List<byte>();
        var marks = new List<(int Position, long Lsn)>();
        long committed = 0;
        for (long lsn = 1; lsn <= 400; lsn++)
        {
            marks.Add((expected.Count, lsn));
            expected.AddRange(Append(random.Next(1, 900), (byte)lsn, lsn, committed));
            expected.AddRange(Append(random.Next(1, 50), (byte)~lsn));
            if (random.Next(3) == 0)
            {
                committed = random.NextInt64(committed, lsn + 1);
                actual.AddRange(Take(committed));
                var allowed = marks.Where(m => m.Lsn > committed).Select(m => m.Position).DefaultIfEmpty(expected.Count).First();
                Assert.Equal(allowed, actual.Count);
            }
        }

        actual.AddRange(Take(long.MaxValue));
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void A_record_that_is_committed_already_holds_nothing_back()
    {
        var bytes = Append(5, 1, lsn: 3, committed: 3);

        Assert.Equal(bytes, Take(committed: 3));
    }

    [Fact]
    public void Clearing_forgets_bytes_and_dependencies()
    {
        Append(5_000, 1);
        Append(5, 2, lsn: 9);
        _lane.Clear();
        var bytes = Append(4, 3);

        Assert.Equal(0, _lane.Position - _lane.Length);
        Assert.Equal(bytes, Take(committed: 0));
    }

    private byte[] Append(int size, byte value, long lsn = 0, long committed = 0)
    {
        var room = _lane.Reserve(size);
        Assert.True(room.Length == size);
        room.Fill(value);
        _lane.Commit(size, lsn, committed);
        return [.. Enumerable.Repeat(value, size)];
    }

    private List<byte> Take(long committed)
    {
        var batch = new OutputBatch();
        var any = _lane.TakeInto(batch, committed);
        var bytes = new List<byte>();
        for (var i = 0; i < batch.Count; i++)
        {
            bytes.AddRange(batch[i].Span);
        }

        Assert.Equal(any, bytes.Count > 0);
        Assert.Equal(batch.Length, bytes.Count);
        batch.Release();
        Assert.Equal(0, batch.Count);
        return bytes;
    }
}
