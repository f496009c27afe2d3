using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nightjar.Protocol.Engine;

namespace Nightjar.Protocol.Journal;

// What the server sent: which delivery a packet identifier stands for, and messages that lie here until their handlers are done.
internal sealed partial class SessionJournal
{
    private readonly Dictionary<ushort, Arrival> _arrivals = [];
    private readonly Dictionary<long, StoredArrival> _stored = [];
    private MessageStore _storedMessages = new();

    /// <summary>Messages whose handlers are not done.</summary>
    public int Unhandled => _stored.Count;

    /// <summary>
    /// A QoS 1 or 2 PUBLISH came, to be handed on once its record is committed. Returns its delivery id: that of before if the server repeats what has no answer yet.
    /// </summary>
    /// <param name="id">The server's packet identifier.</param>
    /// <param name="message">What came; read if it is to be stored.</param>
    /// <param name="storing">For how many subscriptions it lies in the log, until each of them is <see cref="Done"/>; 0: it is not stored.</param>
    /// <param name="isAnswered">Nobody else has a say in its answer.</param>
    /// <param name="isRepetition">It has DUP. Without it, it is another message, whatever its identifier.</param>
    /// <param name="wasStored">Those that store messages have it already.</param>
    public long Arrived(ushort id, in OutgoingPublish message, int storing, bool isAnswered, bool isRepetition, out bool wasStored)
    {
        wasStored = false;
        ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(_arrivals, id);
        if (!Unsafe.IsNullRef(ref known))
        {
            if (isRepetition && known.QoS == message.QoS && known.DeliveryId != 0)
            {
                wasStored = known.WasStored;
                if (storing > 0 && !wasStored)
                {
                    Store(id, message, storing, known.DeliveryId, isAnswered: false);
                    known.WasStored = true;
                }

                return known.DeliveryId;
            }

            Forget(id, known);
        }

        var arrival = new Arrival { QoS = message.QoS, WasStored = storing > 0 };
        if (storing > 0)
        {
            arrival.IsReceived = isAnswered && message.QoS == QoS.ExactlyOnce;
            arrival.DeliveryId = Store(id, message, storing, identity: 0, arrival.IsReceived);
            arrival.Live = _live.Add(LiveKind.Arrival, id, arrival.DeliveryId, LogSpan.Overhead);
        }
        else
        {
            arrival.DeliveryId = Last = AppendArrived(arrival, id);
            arrival.Live = _live.Add(LiveKind.Arrival, id, Last, _size);
        }

        _arrivals[id] = arrival;
        return arrival.DeliveryId;
    }

    /// <summary>A received QoS 2 message is handled: PUBREC depends on that.</summary>
    public long Received(ushort id)
    {
        ref var arrival = ref CollectionsMarshal.GetValueRefOrAddDefault(_arrivals, id, out var exists);
        if (exists && arrival.IsReceived)
        {
            // The record that it came with says so; or it is repeated, and was committed before it was answered first.
            return Last;
        }

        Last = AppendId(JournalRecord.Received, id);
        if (!exists)
        {
            arrival.QoS = QoS.ExactlyOnce;
            arrival.Live = _live.Add(LiveKind.Arrival, id, Last, _size);
        }

        arrival.IsReceived = true;
        return Last;
    }

    /// <summary>PUBREL came: PUBCOMP depends on that.</summary>
    public long ReceivedReleased(ushort id) => Forget(JournalRecord.ReceivedReleased, id);

    /// <summary>A received message is answered for good: PUBACK depends on that, or a PUBREC that refuses it.</summary>
    public long Acknowledged(ushort id) => Forget(JournalRecord.Acknowledged, id);

    /// <summary>
    /// A subscription is done with a stored message; with the last of them it is kept no more, unless one of them left it unhandled. True: it stays, and nobody here has it any more.
    /// </summary>
    /// <param name="deliveryId">The message.</param>
    /// <param name="isLeft">Its handler has not run, or not to its end.</param>
    /// <param name="by">The number of the subscription.</param>
    public bool Done(long deliveryId, bool isLeft, long by)
    {
        ref var stored = ref CollectionsMarshal.GetValueRefOrNullRef(_stored, deliveryId);
        if (Unsafe.IsNullRef(ref stored))
        {
            return false;
        }

        stored.IsLeft |= isLeft;
        stored.LastHolder = Math.Max(stored.LastHolder, by);
        if (--stored.Pending > 0 || stored.IsLeft)
        {
            return stored.Pending == 0;
        }

        _live.Remove(stored.Live);
        _storedMessages.Remove(stored.Handle);
        _stored.Remove(deliveryId);
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write(deliveryId);
        Last = Append(JournalRecord.Handled, writer.ToHead());
        return false;
    }

    /// <summary>A stored message that was left, here or by an earlier process, is handed to so many handlers.</summary>
    public void HandedOn(long deliveryId, int handlers)
    {
        ref var stored = ref CollectionsMarshal.GetValueRefOrNullRef(_stored, deliveryId);
        if (!Unsafe.IsNullRef(ref stored))
        {
            stored.Pending = handlers;
            stored.IsLeft = false;
        }
    }

    /// <summary>A stored message, while it is there.</summary>
    /// <param name="deliveryId">Which.</param>
    /// <param name="message">What it says.</param>
    /// <param name="lastHolder">The newest of the subscriptions that had it here; 0: none had.</param>
    public bool TryFindStored(long deliveryId, out StoredMessage message, out long lastHolder)
    {
        var found = _stored.TryGetValue(deliveryId, out var stored);
        message = found ? _storedMessages[stored.Handle] : default;
        lastHolder = stored.LastHolder;
        return found;
    }

    /// <summary>Received messages without a final answer: packet identifier, QoS, delivery id, and whether PUBREC is due or was sent.</summary>
    public IEnumerable<(ushort Id, QoS QoS, long DeliveryId, bool IsReceived)> Arrivals =>
        _arrivals.Select(pair => (pair.Key, pair.Value.QoS, pair.Value.DeliveryId, pair.Value.IsReceived));

    /// <summary>Delivery ids of the messages whose handlers are not done, in order.</summary>
    public IEnumerable<long> StoredDeliveries => _stored.Keys.Order();

    private long Store(ushort id, in OutgoingPublish message, int handlers, long identity, bool isAnswered)
    {
        var handle = _storedMessages.Add(message, waiter: null);
        var sequence = Last = AppendStored(_storedMessages[handle], id, identity, isAnswered);
        var deliveryId = identity != 0 ? identity : sequence;
        _storedMessages[handle].Record = deliveryId;
        _stored[deliveryId] = new StoredArrival { Handle = handle, Pending = handlers, Live = _live.Add(LiveKind.Stored, handle, sequence, _size) };
        return deliveryId;
    }

    private long AppendArrived(in Arrival arrival, ushort id)
    {
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write(id);
        writer.Write((byte)((int)arrival.QoS | (arrival.IsReceived ? MessageRecord.ReceivedBit : 0) | (arrival.WasStored ? MessageRecord.StoredBit : 0)));
        writer.Write(arrival.DeliveryId);
        return Append(JournalRecord.Arrived, writer.ToHead());
    }

    private long AppendStored(in StoredMessage message, ushort id, long identity, bool isAnswered)
    {
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write(id);
        writer.Write((byte)((int)message.QoS | (message.Retain ? MessageRecord.RetainBit : 0) | (isAnswered ? MessageRecord.ReceivedBit : 0)));
        writer.Write(message.TopicLength);
        writer.Write(message.PropertiesLength);
        writer.Write(identity);
        return Append(JournalRecord.ArrivedStored, writer.ToHead(), message.Bytes);
    }

    private long Forget(JournalRecord type, ushort id)
    {
        if (_arrivals.TryGetValue(id, out var arrival))
        {
            Forget(id, arrival);
        }

        return Last = AppendId(type, id);
    }

    private void Forget(ushort id, in Arrival arrival)
    {
        _live.Remove(arrival.Live);
        _arrivals.Remove(id);
    }

    private void ForgetArrivals()
    {
        foreach (var arrival in _arrivals.Values)
        {
            _live.Remove(arrival.Live);
        }

        _arrivals.Clear();
    }

    private long AppendId(JournalRecord type, ushort id)
    {
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write(id);
        return Append(type, writer.ToHead());
    }

    /// <summary>A received message whose exchange is not over.</summary>
    private struct Arrival
    {
        public long DeliveryId;
        public int Live;
        public QoS QoS;

        /// <summary>PUBREC is due or was sent.</summary>
        public bool IsReceived;

        /// <summary>It lay in the log for subscriptions that store messages, or still does.</summary>
        public bool WasStored;
    }

    /// <summary>A received message that is kept until its handlers are done.</summary>
    private struct StoredArrival
    {
        public int Handle;
        public int Live;

        /// <summary>So many subscriptions here have it.</summary>
        public int Pending;

        /// <summary>One of those that had it did not handle it.</summary>
        public bool IsLeft;

        /// <summary>The newest subscription that is done with it, one way or the other.</summary>
        public long LastHolder;
    }
}
