using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Session;

namespace Nightjar.Protocol.Engine;

// What an earlier process left.
internal sealed partial class Outbound
{
    /// <summary>
    /// Takes over what an earlier process left: exchanges in their orders, then what waited for one, all before what this process has accepted already, which is written down now.
    /// </summary>
    public void Restore(RestoredSession session, SessionJournal journal, long now, DateTimeOffset utcNow)
    {
        var queued = new List<int>();
        var again = new List<int>();
        var number = -(long)session.Messages.Count;
        foreach (var message in session.Messages)
        {
            message.Place = Add(message, session, now, utcNow);
            _messages[message.Place].Number = unchecked((uint)number++);
            if (message.Phase == MessagePhase.Queued)
            {
                (message.HasLeft ? again : queued).Add(message.Place);
            }
            else if (message.Phase == MessagePhase.Assigned)
            {
                Session.Restore(message.PacketId, message.QoS == QoS.AtLeastOnce ? InFlightPhase.PubAck : InFlightPhase.PubRec, message.Place);
            }
        }

        foreach (var message in session.Messages.Where(message => message.Phase == MessagePhase.Released).OrderBy(message => message.ReleasedAt))
        {
            Session.Restore(message.PacketId, InFlightPhase.PubComp, message.Place);
        }

        foreach (var id in session.ReservedIds)
        {
            Session.Reserve(id);
        }

        var early = _reliable.First;
        _reliable.PutInFront(_messages, queued, neverLeft: true);
        _reliable.PutInFront(_messages, again);
        foreach (var id in session.CompletedIds)
        {
            if (id.Completed is { End: MessageEnd.Answered } completed && !completed.ReasonCode.IsFailure() && !IsPending(completed.Id))
            {
                _ids.Restore(completed.Id, completed.ReasonCode, completed.PacketId, completed.Flags);
            }
        }

        _committed = Math.Max(_committed, session.Last);
        journal.Begin(session, _messages, _settings.RememberedIds, now, utcNow);
        Session.Journal = journal;
        foreach (var message in session.Messages)
        {
            // After those that are done: one that was forgotten and enqueued anew is pending.
            Register(message.Place);
        }

        for (var handle = early; handle >= 0; handle = _messages[handle].Next)
        {
            WriteDown(handle, now);
        }
    }

    private int Add(RestoredMessage message, RestoredSession session, long now, DateTimeOffset utcNow)
    {
        var handle = message.IsLost ? _messages.AddLost(message.QoS) : Copy(session.Contents, message.Handle);
        ref var stored = ref _messages[handle];
        stored.Record = message.Record;
        stored.Flags = message.Flags;
        stored.PacketId = message.PacketId;
        stored.ReasonCode = message.ReasonCode;
        if (message.Remaining(utcNow) is { } remaining)
        {
            _messages.Expire(handle, remaining >= long.MaxValue - now ? long.MaxValue : now + remaining);
        }

        stored.Traits |= message.ExpiresByAge ? MessageTraits.ExpiresByAge : MessageTraits.None;
        if (message.Phase != MessagePhase.Queued || message.HasLeft)
        {
            stored.Stage = MessageStage.Sent;
        }

        if (message.IsLost)
        {
            Quarantined.Add(("", message.PacketId, "Its content was in a part of the store that is damaged."));
        }

        return handle;
    }

    /// <summary>This process has taken in a message of that name before it knew of the other.</summary>
    private bool IsPending(byte[] id) => _ids.TryFind(id, out var known) && known.IsPending;

    private int Copy(MessageStore contents, int handle)
    {
        ref var content = ref contents[handle];
        var copy = _messages.Add(
            new OutgoingPublish
            {
                Topic = content.Topic,
                Properties = content.Properties,
                Payload = content.Payload,
                Id = content.Id,
                QoS = content.QoS,
                Retain = content.Retain,
                TopicAlias = content.TopicAlias,
            },
            waiter: null);
        contents.Remove(handle);
        return copy;
    }
}
