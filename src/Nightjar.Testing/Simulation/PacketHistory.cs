using System.Globalization;
using System.Text;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Testing.Simulation;

/// <summary>What happened, line by line: virtual time, who sent, what.</summary>
internal sealed class PacketHistory
{
    // Payloads are numbers followed by padding.
    private const int PayloadShown = 12;

    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines => _lines;

    public void Add(long now, string who, string what) =>
        _lines.Add(string.Create(CultureInfo.InvariantCulture, $"{now / (double)TimeSpan.TicksPerSecond,12:0.0000} s  {who}  {what}"));

    public void Add(long now, string who, in DecodedPacket packet) => Add(now, who, Describe(packet));

    private static string Describe(in DecodedPacket packet)
    {
        var name = packet.Type.ToString().ToUpperInvariant();
        switch (packet.Type)
        {
            case PacketType.Publish:
                var publish = packet.Publish;
                var payload = Encoding.UTF8.GetString(publish.Payload[..Math.Min(publish.Payload.Length, PayloadShown)]);
                var alias = publish.TopicAlias != 0 ? $" @{publish.TopicAlias}" : "";
                return $"{name} {publish.PacketId} q{(int)publish.QoS}{(publish.Duplicate ? " dup" : "")}{(publish.Retain ? " retain" : "")}{alias} "
                    + $"{Encoding.UTF8.GetString(publish.Topic)} #{payload.TrimEnd('.')} ({packet.Size} bytes)";
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp:
                return $"{name} {packet.Ack.PacketId}{Code(packet.Ack.ReasonCode)}";
            default:
                return packet.Other switch
                {
                    ConnectPacket p => $"{name} {p.Version}{(p.CleanStart ? " clean" : "")} keep-alive {p.KeepAlive} s, receive maximum {p.ReceiveMaximum}",
                    ConnAckPacket p => $"{name}{(p.SessionPresent ? " session present" : "")}{Code(p.ReasonCode)} receive maximum {p.ReceiveMaximum}",
                    SubscribePacket p => $"{name} {p.PacketId} {string.Join(' ', p.Subscriptions.Select(s => $"{s.Filter}:{(int)s.QoS}"))}",
                    UnsubscribePacket p => $"{name} {p.PacketId} {string.Join(' ', p.Filters)}",
                    SubAckPacket p => $"{name} {p.PacketId}",
                    UnsubAckPacket p => $"{name} {p.PacketId}",
                    DisconnectPacket p => $"{name}{Code(p.ReasonCode)}",
                    _ => name,
                };
        }
    }

    private static string Code(ReasonCode code) => code == ReasonCode.Success ? "" : $" 0x{(byte)code:X2}";
}
