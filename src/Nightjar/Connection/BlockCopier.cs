using System.Runtime.InteropServices;
using Nightjar.Protocol.Engine;
using Nightjar.Subscriptions;

namespace Nightjar.Connection;

/// <summary>
/// Copies messages into blocks of their size, one block for what a subscription gets of a chunk: a few bytes that wait for a slow handler then no longer keep a whole chunk, nor the
/// messages of others in it. What fills half of the chunk alone stays where it is.
/// </summary>
internal sealed class BlockCopier(ReceiveBudget budget)
{
    private readonly Dictionary<MessageFeed, Share> _shares = [];

    /// <summary>Finds out who gets how much of a chunk. False: nothing is to be copied.</summary>
    public bool Plan(InboundBatch batch, ReceiveChunk chunk, bool dropping)
    {
        for (var i = 0; i < batch.Count; i++)
        {
            ref var packet = ref batch[i];
            if (!packet.Deliver || packet.Part != PublishPart.Whole || (dropping && packet.QoS == QoS.AtMostOnce))
            {
                continue;
            }

            foreach (var subscription in packet.Route!.Subscriptions)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(_shares, (MessageFeed)subscription, out _).Bytes += packet.PropertiesLength + packet.PayloadLength;
            }
        }

        foreach (var (feed, share) in _shares)
        {
            if (share.Bytes * 2 >= chunk.Bytes.Length)
            {
                _shares.Remove(feed);
            }
        }

        return _shares.Count > 0;
    }

    /// <summary>False: this one stays where it is.</summary>
    public bool TryCopy(MessageFeed feed, in InboundPacket packet, ReceiveChunk chunk, int start, out ReceivedMessage copy)
    {
        ref var share = ref CollectionsMarshal.GetValueRefOrNullRef(_shares, feed);
        if (System.Runtime.CompilerServices.Unsafe.IsNullRef(ref share))
        {
            copy = default;
            return false;
        }

        share.Block ??= new ReceiveChunk(budget, share.Bytes, isBlock: true);
        var size = packet.PropertiesLength + packet.PayloadLength;
        var from = packet.PayloadOffset - packet.PropertiesLength;
        chunk.Bytes.AsSpan(start + from, size).CopyTo(share.Block.Bytes.AsSpan(share.Used));
        copy = new ReceivedMessage(packet, share.Block, share.Used - from);
        share.Used += size;
        share.Count++;
        return true;
    }

    /// <summary>The blocks belong to their messages now, which nobody has seen yet.</summary>
    public void Finish()
    {
        foreach (var share in _shares.Values)
        {
            if (share.Block is { } block)
            {
                block.Share(share.Count);
                block.LetGo();
            }
        }

        _shares.Clear();
    }

    private struct Share
    {
        public ReceiveChunk? Block;
        public int Bytes;
        public int Used;
        public int Count;
    }
}
