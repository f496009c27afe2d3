using System.Text;

namespace Nightjar.Protocol.Engine;

// The door of the outbox: who comes in, who waits, who goes for others.
internal sealed partial class Outbound
{
    /// <summary>Messages that will not be sent; the host reports them and clears the list.</summary>
    public List<DroppedMessage> Drops { get; } = [];

    /// <summary>How many wait for room.</summary>
    public int WaitingForRoom => _budget.Waiting;

    /// <summary>Whether somebody who waited for room finds it now.</summary>
    public bool CanGrant => _budget.CanGrant;

    /// <summary>
    /// Command: may this message come in? Makes room for it as the overflow policy says. What is admitted is handed over with <see cref="Accept"/> under the same lock.
    /// </summary>
    public OutboxAdmission Admit(in OutgoingPublish message, WhenOffline whenOffline)
    {
        if (!_open && whenOffline != WhenOffline.Queue)
        {
            return TurnAway(message, whenOffline);
        }

        return _latest is null && _budget.HasRoom(message.Length) ? OutboxAdmission.Admitted : MakeRoom(message);
    }

    /// <summary>Command: a message whose bytes are still to come takes its room now. Then <see cref="EndReservation"/>, and <see cref="Accept"/> under the same lock.</summary>
    public void Reserve(int length) => _budget.Reserve(length);

    /// <summary>Command: the bytes are there, or will not come.</summary>
    public void EndReservation(int length) => _budget.EndReservation(length);

    /// <summary>Command: wait for room, behind all who do. The waiter hears of it by <see cref="TryGrant"/>, or its wait ends like that of a publish.</summary>
    public RoomRequest WaitForRoom(object waiter, in OutgoingPublish message, long now)
    {
        At(now);
        return _budget.Wait(waiter, message, now);
    }

    /// <summary>Command: the waiter leaves. False: its wait had ended already.</summary>
    public bool WithdrawRequest(RoomRequest request) => _budget.Withdraw(request);

    /// <summary>Take: the next who waited for room and finds it now; its message is accepted before the next one is asked for.</summary>
    public bool TryGrant(out object? waiter) => _budget.TryGrant(out waiter);

    private OutboxAdmission TurnAway(in OutgoingPublish message, WhenOffline whenOffline)
    {
        if (whenOffline == WhenOffline.Fail)
        {
            return OutboxAdmission.Offline;
        }

        NoteDrop(message, MessageDropReason.Offline);
        return OutboxAdmission.DroppedOffline;
    }

    private OutboxAdmission MakeRoom(in OutgoingPublish message)
    {
        if (!_budget.CanEverFit(message.Length))
        {
            return OutboxAdmission.TooLarge;
        }

        if (_latest is not null && _latest.Find(message.Topic, message.QoS) is >= 0 and var old)
        {
            // It comes in by the other's room, and so overtakes nobody who waits, but for those of its topic.
            return !_budget.Holds(message.Topic) && _budget.Fits(message.Length, leaving: 1, leavingBytes: _messages[old].Length) ? OutboxAdmission.Admitted : OutboxAdmission.MustWait;
        }

        if (_budget.HasRoom(message.Length))
        {
            return OutboxAdmission.Admitted;
        }

        switch (_settings.Overflow)
        {
            case OutboxOverflow.Reject:
                return OutboxAdmission.Full;
            case OutboxOverflow.DropNewest:
                NoteDrop(message, MessageDropReason.Overflow);
                return OutboxAdmission.Dropped;
            case OutboxOverflow.DropOldest:
                while (!_budget.Fits(message.Length))
                {
                    if (FindOldest() is not (>= 0 and var oldest))
                    {
                        return OutboxAdmission.Full;
                    }

                    Drop(oldest, MessageDropReason.Overflow);
                }

                return OutboxAdmission.Admitted;
            default:
                return OutboxAdmission.MustWait;
        }
    }

    /// <summary>The oldest message that never left; -1 if all did.</summary>
    private int FindOldest()
    {
        var (reliable, unreliable) = (_reliable.FirstNew, _unreliable.FirstNew);
        if (reliable < 0 || unreliable < 0)
        {
            return Math.Max(reliable, unreliable);
        }

        return MessageQueue.IsAfter(_messages[reliable].Number, _messages[unreliable].Number) ? unreliable : reliable;
    }

    /// <summary>Into its queue, or into the place of the one that it replaces, which is returned and still to be ended; -1: it replaces none.</summary>
    private int Enqueue(int handle)
    {
        ref var message = ref _messages[handle];
        ref var queue = ref QueueOf(message.QoS);
        if (_latest is null)
        {
            queue.Enqueue(_messages, handle);
            return -1;
        }

        var old = _latest.Find(message.Topic, message.QoS);
        if (old >= 0)
        {
            queue.Replace(_messages, old, handle);
            _latest.Remove(old, message.QoS);
        }
        else
        {
            queue.Enqueue(_messages, handle);
        }

        _latest.Add(handle, message.QoS);
        return old;
    }

    /// <summary>A message gave its place to a newer one.</summary>
    private void EndReplaced(int handle)
    {
        NoteDrop(handle, MessageDropReason.Replaced);
        Finish(handle, PublishEnd.Dropped, ReasonCode.Success, drop: MessageDropReason.Replaced);
    }

    /// <summary>A message that never left goes.</summary>
    private void Drop(int handle, MessageDropReason reason)
    {
        RemoveFromQueue(handle);
        NoteDrop(handle, reason);
        Finish(handle, PublishEnd.Dropped, ReasonCode.Success, drop: reason);
    }

    private void RemoveFromQueue(int handle)
    {
        ref var message = ref _messages[handle];
        QueueOf(message.QoS).Remove(_messages, handle);
        _latest?.Remove(handle, message.QoS);
    }

    private ref MessageQueue QueueOf(QoS qos) => ref qos == QoS.AtMostOnce ? ref _unreliable : ref _reliable;

    private void NoteDrop(int handle, MessageDropReason reason)
    {
        ref var message = ref _messages[handle];
        NoteDrop(message.Topic, message.Id, message.QoS, reason);
    }

    private void NoteDrop(in OutgoingPublish message, MessageDropReason reason) => NoteDrop(message.Topic, message.Id, message.QoS, reason);

    private void NoteDrop(ReadOnlySpan<byte> topic, ReadOnlySpan<byte> id, QoS qos, MessageDropReason reason)
    {
        _counters.OutboxDropped[(int)reason]++;
        Drops.Add(new DroppedMessage(Encoding.UTF8.GetString(topic), qos, id.IsEmpty ? null : Encoding.UTF8.GetString(id), reason));
    }
}
