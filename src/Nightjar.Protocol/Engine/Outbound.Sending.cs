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
                TellQuarantined(handle, limit);
                _quarantined++;
                Session.Skipped();
                continue;
            }

            var before = _data.Position;
            _publishes.WriteInFull(packet, _recordedBefore, _committed);
            Follow(handle, before);
            Session.Resent();
        }
    }

    /// <summary>A message that was sent before cannot be sent on this connection: it is kept, as it is.</summary>
    private void TellQuarantined(int handle, in SendLimit limit)
    {
        ref var message = ref _messages[handle];
        _counters.Quarantined++;
        Quarantined.Add((System.Text.Encoding.UTF8.GetString(message.Topic), message.PacketId, limit.Message));
        if ((message.Traits & MessageTraits.Receipt) == MessageTraits.None)
        {
            Tell(handle, PublishEnd.Quarantined, limit.ReasonCode, limit.Message);
        }
        else if (message.Waiter is { } receipt)
        {
            // When it is sent again after all, that is news.
            message.Traits &= ~MessageTraits.Handed;
            Steps.Add((receipt, DeliveryStep.Quarantined));
        }
    }

    private void PumpReliable()
    {
        while (TrySendReliable())
        {
        }
    }

    private void PumpUnreliable()
    {
        while (_open && TrySendUnreliable())
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
        if (message.Stage == MessageStage.Queued)
        {
            _latest?.Remove(handle, message.QoS);
            if (message.Expires)
            {
                if (_messages.ExpiresAt(handle) <= _now)
                {
                    EndExpired(handle);
                    return;
                }

                CountDown(handle);
            }
        }

        var id = message.QoS == QoS.AtMostOnce ? (ushort)0 : (ushort)1; // any, for its size
        var packet = message.ToPacket(message.QoS, id, duplicate: false);
        var qos = message.QoS;
        if (message.Stage == MessageStage.Sent && _publishes.CheckAgain(packet) is { } forbidden)
        {
            // It had an identifier once, on a session that is lost: it may have arrived, and is not altered.
            _setAside.Add(handle);
            TellQuarantined(handle, forbidden);
            return;
        }

        if (message.Stage == MessageStage.Queued && _publishes.Check(packet, message.TopicAlias, out qos) is { } refused)
        {
            NoteDrop(handle, MessageDropReason.Limit);
            Finish(handle, PublishEnd.Limit, refused.ReasonCode, refused.Message);
            return;
        }

        if (qos < message.QoS)
        {
            message.Flags |= PublishFlags.QoSLowered;
            message.QoS = qos;
        }

        message.Stage = MessageStage.Sent;
        var before = _data.Position;
        if (qos == QoS.AtMostOnce)
        {
            _publishes.Write(message.ToPacket(qos, 0, duplicate: false), message.TopicAlias, lsn: 0, _committed);
            _unreliableInLane++;
            if ((message.Traits & MessageTraits.Receipt) != MessageTraits.None)
            {
                Follow(handle, before);
            }
            else
            {
                End(handle, ReasonCode.Success);
            }

            return;
        }

        message.PacketId = Session.Publish(qos, handle, out var lsn);
        _publishes.Write(message.ToPacket(qos, message.PacketId, duplicate: false), message.TopicAlias, lsn, _committed);
        Follow(handle, before);
    }
}
