using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Session;

namespace Nightjar.Protocol.Engine;

// What the server says to messages.
internal sealed partial class Outbound
{
    /// <summary>PUBACK, PUBREC or PUBCOMP came.</summary>
    public void HandleAck(PacketType type, ushort id, ReasonCode reason)
    {
        int handle;
        switch (type)
        {
            case PacketType.PubAck when Session.HandlePubAck(id, out handle) == AckEffect.Completed:
                End(handle, reason);
                break;
            case PacketType.PubComp when Session.HandlePubComp(id, out handle) == AckEffect.Completed:
                // Since PUBREC the message is the server's. 0x92 says that it had released it already and the first PUBCOMP was lost (MQTT 5, 3.7.2.1).
                End(handle, _messages[handle].ReasonCode);
                break;
            case PacketType.PubRec:
                HandlePubRec(id, reason);
                break;
        }

        if (reason == ReasonCode.QuotaExceeded)
        {
            Pace.SlowDown();
        }
    }

    private void HandlePubRec(ushort id, ReasonCode reason)
    {
        switch (Session.HandlePubRec(id, reason, out var handle, out var lsn))
        {
            case AckEffect.Completed:
                End(handle, reason);
                break;
            case AckEffect.Released:
                _messages[handle].ReasonCode = reason;
                WriteRelease(id, lsn); // mutant: ForgetPubRel
                break;
            case AckEffect.ReleasedAgain:
                WriteRelease(id, Session.LastRecord);
                break;
            case AckEffect.Unknown:
                WriteAck(new AckPacket(PacketType.PubRel, id, ReasonCode.PacketIdentifierNotFound), lsn: 0);
                break;
        }
    }

    private void WriteRelease(ushort id, long lsn) => WriteAck(new AckPacket(PacketType.PubRel, id), lsn);
}
