using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Session;

namespace Nightjar.Protocol.Engine;

/// <summary>Keep-alive on a link whose output is written in batches: it follows a PINGREQ from the lane to the transport.</summary>
internal struct LinkWatch(long interval, long now)
{
    private KeepAlive _keepAlive = new(interval, now);
    private bool _pingInLane;
    private bool _pingTaken;

    public readonly long Deadline => _keepAlive.Deadline;

    public void Received(long now) => _keepAlive.Received(now);

    /// <summary>What is in the lanes was taken for writing.</summary>
    public void Taken() => _pingTaken = _pingInLane;

    /// <summary>What was taken is written.</summary>
    public void Written(long now)
    {
        _keepAlive.Sent(now);
        if (_pingTaken)
        {
            _pingInLane = _pingTaken = false;
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
                _pingInLane = true;
                return true;
            case KeepAliveAction.Close:
                return false;
            default:
                return true;
        }
    }
}
