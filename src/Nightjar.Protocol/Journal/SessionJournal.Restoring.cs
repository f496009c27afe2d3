namespace Nightjar.Protocol.Journal;

// What an earlier process left goes on being alive, from the records that it wrote.
internal sealed partial class SessionJournal
{
    private void Restore(object thing, long sequence, int size)
    {
        switch (thing)
        {
            case RestoredMessage message:
                _live.AddMessage(message.Place, sequence);
                if (message.Phase == MessagePhase.Released)
                {
                    _releases[message.Place] = message.ReleasedAt;
                }
                else if (message.Order != message.Record)
                {
                    _places[message.Place] = message.Order;
                }

                break;
            case RestoredArrival arrival:
                _arrivals[arrival.PacketId] = new Arrival
                {
                    DeliveryId = arrival.DeliveryId,
                    QoS = arrival.QoS,
                    IsReceived = arrival.IsReceived,
                    WasStored = arrival.WasStored,
                    Live = _live.Add(LiveKind.Arrival, arrival.PacketId, sequence, size),
                };
                break;
            case RestoredDelivery delivery:
                _stored[delivery.DeliveryId] = new StoredArrival { Handle = delivery.Handle, Pending = 1, Live = _live.Add(LiveKind.Stored, delivery.Handle, sequence, size) };
                break;
            case RestoredIdentifier identifier:
                AddIdentifier(identifier.Identifier, identifier.Filter, sequence, size);
                break;
            case RestoredId id:
                Remember(id.Completed, sequence, size);
                break;
            case SessionIdentity:
                _identityLive = _live.Add(LiveKind.Identity, key: 0, sequence, size);
                break;
        }
    }
}
