using Xunit;

namespace Nightjar.Testing.Tests.Network;

public sealed class InMemoryStreamTests
{
    [Fact]
    public async Task Bytes_go_both_ways_in_order()
    {
        var (near, far) = InMemoryStream.CreatePair();

        await near.WriteAsync(new byte[] { 1, 2, 3 });
        await near.WriteAsync(new byte[] { 4 });
        await far.WriteAsync(new byte[] { 9 });

        Assert.Equal([1, 2, 3, 4], await ReadAsync(far, 4));
        Assert.Equal([9], await ReadAsync(near, 1));
    }

    [Fact]
    public async Task A_full_buffer_makes_the_writer_wait_for_the_reader()
    {
        var (near, far) = InMemoryStream.CreatePair(capacity: 8);
        var sent = Enumerable.Range(0, 100).Select(i => (byte)i).ToArray();

        var writing = near.WriteAsync(sent).AsTask();
        Assert.False(writing.IsCompleted);
        var received = await ReadAsync(far, 100);
        await writing;

        Assert.Equal(sent, received);
    }

    [Fact]
    public async Task Random_pieces_through_a_small_ring_arrive_whole()
    {
        var random = new Random(3);
        var (near, far) = InMemoryStream.CreatePair(capacity: 37);
        var sent = new byte[20_000];
        random.NextBytes(sent);

        var writing = Task.Run(async () =>
        {
            for (var start = 0; start < sent.Length;)
            {
                var piece = Math.Min(random.Next(1, 90), sent.Length - start);
                await near.WriteAsync(sent.AsMemory(start, piece));
                start += piece;
            }

            near.CompleteWriting();
        });
        using var received = new MemoryStream();
        await far.CopyToAsync(received, bufferSize: 23);
        await writing;

        Assert.Equal(sent, received.ToArray());
    }

    [Fact]
    public async Task Half_closing_ends_one_direction_and_leaves_the_other()
    {
        var (near, far) = InMemoryStream.CreatePair();
        await near.WriteAsync(new byte[] { 1 });

        near.CompleteWriting();

        Assert.Equal([1], await ReadAsync(far, 1));
        Assert.Equal(0, await far.ReadAsync(new byte[1]));
        await far.WriteAsync(new byte[] { 2 });
        Assert.Equal([2], await ReadAsync(near, 1));
        await Assert.ThrowsAsync<IOException>(async () => await near.WriteAsync(new byte[] { 3 }));
    }

    [Fact]
    public async Task Closing_delivers_what_is_under_way_and_fails_the_other_ends_writes()
    {
        var (near, far) = InMemoryStream.CreatePair();
        await near.WriteAsync(new byte[] { 1 });

        await near.DisposeAsync();

        Assert.Equal([1], await ReadAsync(far, 1));
        Assert.Equal(0, await far.ReadAsync(new byte[1]));
        await Assert.ThrowsAsync<IOException>(async () => await far.WriteAsync(new byte[] { 2 }));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await near.ReadExactlyAsync(new byte[1]));
    }

    [Fact]
    public async Task A_reset_takes_back_what_is_under_way()
    {
        var (near, far) = InMemoryStream.CreatePair();
        await near.WriteAsync(new byte[] { 1 });

        near.Abort();

        await Assert.ThrowsAsync<IOException>(async () => await far.ReadExactlyAsync(new byte[1]));
        await Assert.ThrowsAsync<IOException>(async () => await far.WriteAsync(new byte[] { 2 }));
    }

    [Fact]
    public async Task Closing_ends_the_waits_of_both_ends()
    {
        var (near, far) = InMemoryStream.CreatePair(capacity: 1);
        var ownReading = near.ReadExactlyAsync(new byte[1]).AsTask();
        var otherReading = far.ReadAsync(new byte[1]).AsTask();

        await near.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => ownReading);
        Assert.Equal(0, await otherReading);
    }

    [Fact]
    public async Task Closing_fails_a_write_that_waits()
    {
        var (near, far) = InMemoryStream.CreatePair(capacity: 1);
        var writing = far.WriteAsync(new byte[] { 1, 2, 3 }).AsTask();

        await near.DisposeAsync();

        await Assert.ThrowsAsync<IOException>(() => writing);
    }

    [Fact]
    public async Task A_cancelled_read_loses_nothing()
    {
        var (near, far) = InMemoryStream.CreatePair();
        using var cancel = new CancellationTokenSource();
        var reading = far.ReadAsync(new byte[1], cancel.Token).AsTask();

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        await near.WriteAsync(new byte[] { 7 });

        Assert.Equal([7], await ReadAsync(far, 1));
    }

    [Fact]
    public async Task A_cancelled_write_stops_waiting()
    {
        var (near, far) = InMemoryStream.CreatePair(capacity: 2);
        using var cancel = new CancellationTokenSource();
        var writing = near.WriteAsync(new byte[] { 1, 2, 3 }, cancel.Token).AsTask();

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => writing);
        Assert.Equal([1, 2], await ReadAsync(far, 2));
    }

    [Fact]
    public async Task A_zero_byte_read_waits_for_bytes_and_takes_none()
    {
        var (near, far) = InMemoryStream.CreatePair();
        var waiting = far.ReadAsync(Memory<byte>.Empty).AsTask();
        Assert.False(waiting.IsCompleted);

        await near.WriteAsync(new byte[] { 5 });

        Assert.Equal(0, await waiting);
        Assert.Equal([5], await ReadAsync(far, 1));
    }

    [Fact]
    public void What_a_connection_cannot_do_is_refused()
    {
        var (near, _) = InMemoryStream.CreatePair();

        Assert.False(near.CanSeek);
        Assert.Throws<NotSupportedException>(() => near.Length);
        Assert.Throws<NotSupportedException>(() => near.Position);
        Assert.Throws<NotSupportedException>(() => near.Seek(0, SeekOrigin.Begin));
        Assert.Throws<ArgumentOutOfRangeException>(() => InMemoryStream.CreatePair(capacity: 0));
    }

    private static async Task<byte[]> ReadAsync(Stream stream, int count)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes);
        return bytes;
    }
}
