using Nightjar.Protocol.Journal;

namespace Nightjar.Protocol.Engine;

// From the queues into the lane, as far as quota, room and pace allow.
internal sealed partial class Outbound
{
    private void Resend()
    {
        while (Session.TryTakeRelease(out var release))
        {
            WriteRelease(release, _recordedBefore);
        }

        while (_data.Length < DataLaneLimit && Session.TryPeekResend(out var id, out var handle) && Pace.TryTake())
        {
            ref var message = ref _messages[handle];
            if (message.Segment is null)
            {
                // An earlier process sent it, and its record is lost.
                Session.Skipped();
                continue;
            }

            var packet = message.ToPacket(message.QoS, id, duplicate: true);
            if (_publishes.CheckAgain(packet) is { } limit)
            {
                Quarantined.Add((System.Text.Encoding.UTF8.GetString(message.Topic), id, limit.Message));
                Tell(handle, PublishEnd.Quarantined, limit.ReasonCode, limit.Message);
                Session.Skipped();
                continue;
            }

            _publishes.WriteInFull(packet, _recordedBefore, _committed);
            Session.Resent();
        }
    }

    private void PumpReliable()
    {
        while (TrySendReliable())
        {
        }
    }

    private bool TrySendReliable()
    {
        if (!_open || StoreIsFailing || _reliable.Count == 0 || _data.Length >= DataLaneLimit || !Session.CanPublish || !Pace.TryTake())
        {
            return false;
        }

        SendQueued(_reliable.Dequeue(_messages), ref _reliable);
        return true;
    }

    private bool TrySendUnreliable()
    {
        if (_unreliable.Count == 0 || _data.Length >= DataLaneLimit || !Pace.TryTake())
        {
            return false;
        }

        SendQueued(_unreliable.Dequeue(_messages), ref _unreliable);
        return true;
    }

    private void SendQueued(int handle, ref MessageQueue queue)
    {
        ref var message = ref _messages[handle];
        var id = message.QoS == QoS.AtMostOnce ? (ushort)0 : (ushort)1; // any, for its size
        if (_publishes.Check(message.ToPacket(message.QoS, id, duplicate: false), message.TopicAlias, out var qos) is { } refused)
        {
            Tell(handle, PublishEnd.Limit, refused.ReasonCode, refused.Message);
            Remove(handle, MessageEnd.Refused, refused.ReasonCode);
            return;
        }

        if (qos < message.QoS)
        {
            message.Flags |= PublishFlags.QoSLowered;
            message.QoS = qos;
        }

        message.Stage = MessageStage.Sent;
        if (qos == QoS.AtMostOnce)
        {
            _publishes.Write(message.ToPacket(qos, 0, duplicate: false), message.TopicAlias, lsn: 0, _committed);
            _unreliableInLane++;
            End(handle, ReasonCode.Success);
            return;
        }

        message.PacketId = Session.Publish(qos, handle, out var lsn);
        _publishes.Write(message.ToPacket(qos, message.PacketId, duplicate: false), message.TopicAlias, lsn, _committed);
    }
}
