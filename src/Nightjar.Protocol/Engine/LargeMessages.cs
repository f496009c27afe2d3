namespace Nightjar.Protocol.Engine;

/// <summary>
/// What becomes of a PUBLISH that comes in pieces because it is larger than what is held whole: subscriptions that take streams get it as it arrives, for the others it is
/// skipped. It is acknowledged in its turn, and never before its last byte came.
/// </summary>
internal sealed class LargeMessages(EngineSettings settings, AcknowledgementLedger ledger, Queue<EngineOutput> outputs)
{
    private AckToken _token;
    private ReasonCode _answer;
    private bool _delivers;

    /// <summary>Messages that were not stored, for one subscription at least.</summary>
    public long Skipped { get; private set; }

    /// <summary>It begins, and has its route. Returns how many must be done with it before it is acknowledged: the arrival of the rest is one of them.</summary>
    public int Begin(ref InboundPacket packet, MqttVersion version)
    {
        var subscriptions = packet.Route!.Subscriptions;
        var streams = packet.Size <= settings.MaximumStreamedPacketSize ? subscriptions.Count(s => s.TakesStreams) : 0;
        packet.Deliver = _delivers = streams > 0;
        _token = default;

        // 3.1 and 3.1.1 cannot say no; without an answer the server would send it again and again.
        _answer = subscriptions.Length > 0 && streams == 0 && version == MqttVersion.Mqtt5 ? ReasonCode.ImplementationSpecificError : ReasonCode.Success;
        if (packet.QoS == QoS.AtMostOnce)
        {
            Report(packet);
        }

        return (_delivers ? subscriptions.Count(s => s is { TakesStreams: true, AcknowledgesAtArrival: false }) : 0) + 1;
    }

    /// <summary>The ledger took it.</summary>
    public void Admitted(in InboundPacket packet)
    {
        if (packet.Part == PublishPart.Begin)
        {
            _token = packet.Token;
            foreach (var subscription in packet.Route!.Subscriptions)
            {
                if (!_delivers || !subscription.TakesStreams)
                {
                    // It never gets the message, so nobody is to say that it holds it.
                    ledger.Slots[_token.Sequence].NoteDone(subscription);
                }
            }

            Report(packet);
        }
    }

    /// <summary>It was delivered before.</summary>
    public void Forget(PublishPart part)
    {
        if (part == PublishPart.Begin)
        {
            _delivers = false;
        }
    }

    /// <summary>A piece of its payload came.</summary>
    public void Continue(ref InboundPacket packet)
    {
        packet.Deliver = _delivers;
        ledger.NoteArriving(_token);
        if (packet.Part == PublishPart.End && !_token.IsNone)
        {
            ledger.Complete(new HandlerOutcome(_token, _answer));
            _token = default;
        }
    }

    /// <summary>The connection is over; what has not arrived whole comes again.</summary>
    public void Close()
    {
        ledger.Withdraw(_token);
        _token = default;
        _delivers = false;
    }

    private void Report(in InboundPacket packet)
    {
        var route = packet.Route!;
        if (route.Subscriptions.Length == 0)
        {
            return;
        }

        if (!_delivers)
        {
            Skipped++;
            outputs.Enqueue(new EngineOutput.Skipped(route.Name, packet.QoS, packet.Size, Filter: null));
            return;
        }

        foreach (var subscription in route.Subscriptions)
        {
            if (!subscription.TakesStreams)
            {
                Skipped++;
                outputs.Enqueue(new EngineOutput.Skipped(route.Name, packet.QoS, packet.Size, subscription.TopicFilter.Text));
            }
        }
    }
}
