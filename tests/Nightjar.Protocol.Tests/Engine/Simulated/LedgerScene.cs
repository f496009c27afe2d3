using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine.Simulated;

/// <summary>A ledger with a window of four, and what happens to it.</summary>
public abstract class LedgerScene
{
    private protected readonly AcknowledgementLedger _ledger = new();

    private protected LedgerScene() => _ledger.Start(sessionKept: false, receiveMaximum: 4);

    private protected AckToken Admit(QoS qos, ushort id, int handlers = 1)
    {
        Assert.Equal(Admission.Deliver, _ledger.Admit(qos, id, handlers, isNew: false, out var token));
        return token;
    }

    private protected bool Complete(AckToken token, ReasonCode reason = ReasonCode.Success, bool abandoned = false) =>
        _ledger.Complete(new HandlerOutcome(token, reason, abandoned));

    private protected void Resume() => _ledger.Start(sessionKept: true, receiveMaximum: 4);

    private protected List<(PacketType, int)> Ready()
    {
        var ready = new List<(PacketType, int)>();
        while (_ledger.TryTakeReady(out var ack))
        {
            ready.Add((ack.Type, ack.PacketId));
        }

        return ready;
    }
}
