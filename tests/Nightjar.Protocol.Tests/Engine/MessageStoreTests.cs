using System.Runtime.CompilerServices;
using Nightjar.Protocol.Engine;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

public sealed class MessageStoreTests
{
    [Fact]
    public void Messages_keep_their_bytes_while_others_come_and_go()
    {
        var random = new Random(3);
        var store = new MessageStore();
        var kept = new Dictionary<int, (byte[] Topic, byte[] Properties, byte[] Payload)>();
        for (var i = 0; i < 20_000; i++)
        {
            if (kept.Count > 0 && random.Next(100) < (i < 15_000 ? 48 : 60))
            {
                var handle = kept.Keys.ElementAt(random.Next(Math.Min(kept.Count, 20)));
                AssertSame(store[handle], kept[handle]);
                store.Remove(handle);
                kept.Remove(handle);
                continue;
            }

            var parts = (Bytes(random, 1, 30), Bytes(random, 0, 20), Bytes(random, 0, random.Next(200) == 0 ? 100_000 : 200));
            kept.Add(store.Add(new OutgoingPublish { Topic = parts.Item1, Properties = parts.Item2, Payload = parts.Item3, QoS = QoS.AtLeastOnce }, null), parts);
            Assert.Equal(kept.Count, store.Count);
        }

        foreach (var (handle, parts) in kept)
        {
            AssertSame(store[handle], parts);
        }
    }

    [Fact]
    public void A_ticket_of_a_message_that_is_gone_is_recognised()
    {
        var store = new MessageStore();
        var handle = store.Add(new OutgoingPublish { Topic = "a"u8 }, "first");
        var ticket = new MessageTicket(handle, store[handle].Generation);
        Assert.True(store.IsCurrent(ticket));

        store.Remove(handle);
        Assert.False(store.IsCurrent(ticket));
        Assert.Equal(handle, store.Add(new OutgoingPublish { Topic = "b"u8 }, "second"));
        Assert.False(store.IsCurrent(ticket));
        Assert.False(store.IsCurrent(new MessageTicket(100_000, 0)));
    }

    [Fact]
    public void A_message_takes_64_bytes_beside_its_content() => Assert.Equal(64, Unsafe.SizeOf<StoredMessage>());

    [Fact]
    public void When_a_message_expires_is_known_of_it_alone()
    {
        var store = new MessageStore();
        int[] handles = [.. Enumerable.Range(0, 1000).Select(_ => store.Add(new OutgoingPublish { Topic = "a"u8 }, null))];

        store.Expire(handles[900], 5);
        store.Expire(handles[3], -7);

        Assert.Equal([3, 900], handles.Where(handle => store[handle].Expires).Order());
        Assert.Equal((-7, 5), (store.ExpiresAt(handles[3]), store.ExpiresAt(handles[900])));
        store.Remove(handles[900]);
        Assert.Equal(handles[900], store.Add(new OutgoingPublish { Topic = "b"u8 }, null));
        Assert.False(store[handles[900]].Expires);
    }

    [Fact]
    public void Bytes_go_before_the_message_does()
    {
        var store = new MessageStore();
        var handle = store.Add(new OutgoingPublish { Topic = "a"u8 }, "waiter");

        store.DropBytes(handle);
        store.DropBytes(handle);

        Assert.Null(store[handle].Segment);
        Assert.Equal("waiter", store[handle].Waiter);
        store.Remove(handle);
        Assert.Equal(0, store.Count);
    }

    [Fact]
    public void A_queue_is_first_in_first_out_and_gives_up_its_middle()
    {
        var store = new MessageStore();
        var queue = new MessageQueue();
        int[] handles = [.. Enumerable.Range(0, 5).Select(_ => store.Add(new OutgoingPublish { Topic = "a"u8 }, null))];
        foreach (var handle in handles)
        {
            queue.Enqueue(store, handle);
        }

        queue.Remove(store, handles[2]);
        queue.Remove(store, handles[4]);
        var first = queue.Dequeue(store);
        queue.Enqueue(store, handles[4]);
        queue.PutInFront(store, [first, handles[2]]);

        Assert.Equal(5, queue.Count);
        Assert.Equal([handles[0], handles[2], handles[1], handles[3], handles[4]], Enumerable.Range(0, 5).Select(_ => queue.Dequeue(store)));
        Assert.Equal(0, queue.Count);
        Assert.Equal(-1, queue.First);
    }

    [Fact]
    public void Putting_in_front_of_an_empty_queue_makes_its_end_too()
    {
        var store = new MessageStore();
        var queue = new MessageQueue();
        int[] handles = [.. Enumerable.Range(0, 3).Select(_ => store.Add(new OutgoingPublish { Topic = "a"u8 }, null))];

        queue.PutInFront(store, [handles[0], handles[1]]);
        queue.Enqueue(store, handles[2]);

        Assert.Equal(handles, Enumerable.Range(0, 3).Select(_ => queue.Dequeue(store)));
    }

    [Fact]
    public void Timeouts_of_messages_that_are_done_are_forgotten()
    {
        var store = new MessageStore();
        var timeouts = new PublishTimeouts(timeout: 100, store);
        for (var now = 0; now < 50; now++)
        {
            var handle = store.Add(new OutgoingPublish { Topic = "a"u8 }, null);
            timeouts.Add(new MessageTicket(handle, store[handle].Generation), now);
            if (now < 49)
            {
                store.Remove(handle);
            }
        }

        Assert.Equal(149, timeouts.Deadline);
        Assert.False(timeouts.TryTake(148, out _));
        Assert.True(timeouts.TryTake(149, out _));
        Assert.Equal(long.MaxValue, timeouts.Deadline);
    }

    private static byte[] Bytes(Random random, int least, int most)
    {
        var bytes = new byte[random.Next(least, most + 1)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static void AssertSame(in StoredMessage message, (byte[] Topic, byte[] Properties, byte[] Payload) parts)
    {
        Assert.True(message.Topic.SequenceEqual(parts.Topic));
        Assert.True(message.Properties.SequenceEqual(parts.Properties));
        Assert.True(message.Payload.SequenceEqual(parts.Payload));
    }
}
