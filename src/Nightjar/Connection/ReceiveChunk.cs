using System.Buffers;
using Nightjar.Subscriptions;

namespace Nightjar.Connection;

/// <summary>
/// A pooled stretch of received bytes. The receive loop owns one share, each message that still lies in it another; the last to leave returns it.
/// </summary>
internal sealed class ReceiveChunk(ReceiveBudget budget, int size, bool isBlock = false)
{
    /// <summary>Stands where there is none.</summary>
    public static readonly ReceiveChunk None = new(null!, 0);

    // The object itself, which in a block counts: there may be one for each message.
    private const int BlockOverhead = 64;

    private int _shares = 1;
    private int _charged;

    public byte[] Bytes { get; private set; } = size == 0 ? [] : ArrayPool<byte>.Shared.Rent(size);

    /// <summary>The payload that is still arriving, if this holds the rest of such a message.</summary>
    public StreamedPayload? Payload { get; init; }

    /// <summary>Whether it was made for certain messages, in their size, and never belonged to a receive loop.</summary>
    public bool IsBlock => isBlock;

    /// <summary>Whether the loop is the only one left, so that it may write over what was read.</summary>
    public bool IsUnshared => Volatile.Read(ref _shares) == 1;

    /// <summary>The loop's: so many messages of this chunk go into queues, which takes memory too.</summary>
    public void Share(int count)
    {
        var taken = count * ReceivedMessage.Size;
        _charged += taken;
        budget.Charge(taken);
        Interlocked.Add(ref _shares, count);
    }

    /// <summary>The loop's, when nobody shares the chunk any more: the messages that lay in it are done.</summary>
    public void Settle()
    {
        budget.Charge(-_charged);
        _charged = 0;
    }

    /// <summary>The loop's share; from now on the chunk counts against the budget for as long as messages lie in it.</summary>
    public void LetGo()
    {
        var taken = Bytes.Length + (isBlock ? BlockOverhead : 0);
        _charged += taken;
        budget.Charge(taken);
        Release();
    }

    public void Release(int count = 1)
    {
        if (Interlocked.Add(ref _shares, -count) == 0)
        {
            Payload?.End();
            var charged = _charged;
            _charged = 0;
            _shares = 1;
            budget.Return(this, charged);
        }
    }

    /// <summary>Gives the bytes back; the chunk is done for.</summary>
    public void Discard()
    {
        var bytes = Bytes;
        Bytes = [];
        if (bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
