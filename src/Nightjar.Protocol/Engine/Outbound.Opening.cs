using Nightjar.Protocol.Journal;

namespace Nightjar.Protocol.Engine;

// Connections come and go.
internal sealed partial class Outbound
{
    /// <summary>A connection was accepted: what is unanswered is sent again first, or as new if the server lost the session.</summary>
    public void Open(Accepted accepted)
    {
        _version = accepted.Version;
        _limits = accepted.Limits;
        _publishes.Open(_version, _limits);
        _recordedBefore = Session.LastRecord;
        _open = true;
        _quarantined = 0;
        if (accepted.SessionPresent)
        {
            Session.Resume(_limits.ReceiveMaximum);

            // If it is another session after all, the server takes the QoS 2 messages that it had already for new ones.
            _messages.MarkPossiblyDuplicated(accepted.SessionIsCertain ? [] : Session.ExactlyOnce);
        }
        else
        {
            StartOver(_limits.ReceiveMaximum, accepted.IsElsewhere);
        }

        // What the limits of the connection before forbade is the oldest of all.
        _reliable.PutInFront(_messages, _setAside);
        _setAside.Clear();
        Resend();
    }

    /// <summary>The connection is gone. Returns how many QoS 0 messages went with it unwritten.</summary>
    public long Close(CloseReason reason)
    {
        _open = false;
        Pace.Begin();
        _publishes.Close();
        _control.Clear();
        _pings.Clear();
        _data.Clear();
        _flushes.ConnectionLost(reason);
        FollowLost();
        var lost = _unreliableInLane - _unreliableWritten;
        _unreliableInLane = _unreliableWritten = _unreliableTaken = 0;
        return lost;
    }

    private void StartOver(int receiveMaximum, bool elsewhere)
    {
        _voided.Clear();
        var released = new List<int>();
        Session.StartOver(receiveMaximum, released, _voided);
        Session.Journal?.Started(elsewhere);
        if (elsewhere)
        {
            // Whether PUBREL arrived there, nobody will know: a message too many is better than one too few.
            _voided.InsertRange(0, released);
            released.Clear();
            _voided.Sort((one, other) => MessageQueue.Compare(_messages[one].Number, _messages[other].Number));
        }

        released.ForEach(handle => End(handle, _messages[handle].ReasonCode));

        _voided.RemoveAll(EndIfLost);
        _voided.ForEach(handle => _messages[handle].PacketId = 0);
        _messages.MarkPossiblyDuplicated(_voided);
        _reliable.PutInFront(_messages, _voided);
    }

    /// <summary>The content of a message of an earlier process is lost: with its session it ends.</summary>
    private bool EndIfLost(int handle)
    {
        if (_messages[handle].Segment is not null)
        {
            return false;
        }

        Session.Journal?.Ended(handle, MessageEnd.Quarantined, ReasonCode.Success);
        _messages.Remove(handle);
        return true;
    }
}
