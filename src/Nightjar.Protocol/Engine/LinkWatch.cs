using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Session;

namespace Nightjar.Protocol.Engine;

/// <summary>Keep-alive on a link whose output is written in batches: it follows a PINGREQ from the lane to the transport.</summary>
internal struct LinkWatch(long interval, long now)
{
    private KeepAlive _keepAlive = new(interval, now);
    private long _pingEnd;
    private bool _pingTaken;

    public readonly long Deadline => _keepAlive.Deadline;

    public void Received(long now) => _keepAlive.Received(now);

    /// <summary>Some of what is in the lanes was taken for writing; the PINGREQ too?</summary>
    public void Taken(Outbound outbound) => _pingTaken = _pingEnd != 0 && outbound.Control.Taken >= _pingEnd;

    /// <summary>What was taken is written.</summary>
    public void Written(long now)
    {
        _keepAlive.Sent(now);
        if (_pingTaken)
        {
            _pingEnd = 0;
            _pingTaken = false;
            _keepAlive.PingWritten(now);
        }
    }

    /// <summary>Sends a PINGREQ if one is due. False: the link is dead.</summary>
    public bool Check(Outbound outbound, MqttVersion version, long now)
    {
        switch (_keepAlive.Check(now))
        {
            case KeepAliveAction.SendPing:
                outbound.WriteControl(default(PingReqPacket), version);
                _keepAlive.PingQueued(now);
                _pingEnd = outbound.Control.Written;
                return true;
            case KeepAliveAction.Close:
                return false;
            default:
                return true;
        }
    }
}
