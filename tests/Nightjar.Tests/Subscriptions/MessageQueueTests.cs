using Nightjar.Protocol.Engine;
using Nightjar.Subscriptions;
using Xunit;
using MessageQueue = Nightjar.Subscriptions.MessageQueue;
using MessageSegment = Nightjar.Subscriptions.MessageSegment;

namespace Nightjar.Tests.Subscriptions;

public sealed class MessageQueueTests
{
    private readonly MessageQueue _queue = new();

    [Theory]
    [InlineData(1)]
    [InlineData(MessageSegment.Size)]
    [InlineData(MessageSegment.Size + 1)]
    [InlineData(MessageSegment.Size * 3)]
    public void What_is_appended_is_not_seen_before_it_is_published(int count)
    {
        Append(0, count);
        Assert.False(_queue.HasMessages);
        Assert.False(_queue.TryTake(out _));

        _queue.Publish();

        Assert.Equal(Enumerable.Range(0, count), TakeAll());
    }

    [Fact]
    public void Order_is_kept_across_segments_however_they_are_published()
    {
        var random = new Random(7);
        var appended = 0;
        var taken = new List<int>();
        while (appended < 10_000)
        {
            var count = random.Next(1, MessageSegment.Size * 2);
            Append(appended, count);
            appended += count;
            taken.AddRange(random.Next(4) == 0 ? TakeAll() : []);
            _queue.Publish();
            taken.AddRange(random.Next(2) == 0 ? TakeAll() : []);
        }

        taken.AddRange(TakeAll());
        Assert.Equal(Enumerable.Range(0, appended), taken);
    }

    [Fact]
    public async Task Waking_a_reader_that_is_awake_keeps_it_from_sleeping_the_next_time()
    {
        _queue.Wake();

        Assert.True(await _queue.WaitAsync().Soon());
        var asleep = _queue.WaitAsync().AsTask();
        Assert.False(asleep.IsCompleted);
        _queue.Complete();
        Assert.False(await asleep.Soon());
    }

    [Fact]
    public async Task A_reader_and_a_writer_at_full_speed_lose_nothing()
    {
        const int Count = 300_000;
        var reading = Task.Run(async () =>
        {
            var expected = 0;
            while (await _queue.WaitAsync())
            {
                while (_queue.TryTake(out var message))
                {
                    Assert.Equal(expected & 0xFFFF, message.PacketId);
                    expected++;
                }
            }

            return expected;
        });
        var random = new Random(3);
        for (var appended = 0; appended < Count;)
        {
            var count = Math.Min(random.Next(1, 400), Count - appended);
            Append(appended, count);
            appended += count;
            _queue.Publish();
        }

        _queue.Complete();

        Assert.Equal(Count, await reading.Soon());
    }

    private void Append(int first, int count)
    {
        for (var i = first; i < first + count; i++)
        {
            var packet = new InboundPacket { PacketId = (ushort)i };
            _queue.Append(new ReceivedMessage(packet, null!, 0));
        }
    }

    private List<int> TakeAll()
    {
        var taken = new List<int>();
        while (_queue.TryTake(out var message))
        {
            taken.Add(message.PacketId);
        }

        return taken;
    }
}
