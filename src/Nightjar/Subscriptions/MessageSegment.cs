namespace Nightjar.Subscriptions;

/// <summary>
/// A stretch of a message queue. Segments are shared by all queues of the process: a burst of one subscription leaves nothing behind in it.
/// </summary>
internal sealed class MessageSegment
{
    public const int Size = 128;

    // Spares hold 48 bytes for each of their messages: 1.6 MB for the process at the most, what two bursts of 64 KiB of the smallest messages take.
    private const int SparesAtMost = 256;

    private static readonly Lock Guard = new();
    private static MessageSegment? _spares;
    private static int _count;

    /// <summary>The reader clears what it takes, so that nothing is kept alive from here.</summary>
    public readonly ReceivedMessage[] Messages = new ReceivedMessage[Size];

    /// <summary>How many the reader may see.</summary>
    public int Published;

    /// <summary>The segment that follows; among spares, the next spare.</summary>
    public MessageSegment? Next;

    public static MessageSegment Rent()
    {
        lock (Guard)
        {
            if (_spares is { } spare)
            {
                _spares = spare.Next;
                _count--;
                spare.Next = null;
                return spare;
            }
        }

        return new MessageSegment();
    }

    public static void Return(MessageSegment segment)
    {
        segment.Published = 0;
        segment.Next = null;
        lock (Guard)
        {
            if (_count < SparesAtMost)
            {
                segment.Next = _spares;
                _spares = segment;
                _count++;
            }
        }
    }
}
