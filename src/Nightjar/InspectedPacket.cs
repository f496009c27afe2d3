using System.Text;
using Nightjar.Protocol.Packets;

namespace Nightjar;

/// <summary>
/// One control packet as it passes by; valid during the call of the inspector only. It has no user name, no password and no authentication data, whatever packet it is.
/// </summary>
public readonly ref struct InspectedPacket
{
    /// <summary>Which way it goes.</summary>
    public PacketDirection Direction { get; init; }

    /// <summary>What it is.</summary>
    public PacketType Type { get; init; }

    /// <summary>The whole packet in bytes, its fixed header included.</summary>
    public int Size { get; init; }

    /// <summary>The packet identifier; 0 where there is none.</summary>
    public ushort PacketId { get; init; }

    /// <summary>What CONNACK, an acknowledgement, DISCONNECT or AUTH says; null where there is none, or one for each filter (SUBACK, UNSUBACK).</summary>
    public ReasonCode? ReasonCode { get; init; }

    /// <summary>PUBLISH: its QoS.</summary>
    public QoS QoS { get; init; }

    /// <summary>PUBLISH: whether it is to be retained, or was.</summary>
    public bool Retain { get; init; }

    /// <summary>PUBLISH: whether it may be a repetition.</summary>
    public bool Duplicate { get; init; }

    /// <summary>PUBLISH: the topic in UTF-8, also where an alias stands for it on the wire. Empty in all others.</summary>
    public ReadOnlySpan<byte> TopicUtf8 { get; init; }

    /// <summary>PUBLISH: the payload, or as much of it as lies in one piece; <see cref="PayloadLength"/> says how much there is.</summary>
    public ReadOnlySpan<byte> Payload { get; init; }

    /// <summary>PUBLISH: how long the payload is, in bytes.</summary>
    public int PayloadLength { get; init; }

    /// <summary>PUBLISH: the topic as text; makes a string with each call.</summary>
    public string Topic => Encoding.UTF8.GetString(TopicUtf8);

    /// <summary>One line for people: direction, type, identifier, reason, topic and sizes; no payload.</summary>
    public override string ToString()
    {
        var line = new StringBuilder(Direction == PacketDirection.Sent ? "> " : "< ").Append(Type.ToString().ToUpperInvariant());
        if (Type == PacketType.Publish)
        {
            line.Append($" q{(int)QoS}").Append(Retain ? " retain" : "").Append(Duplicate ? " dup" : "");
        }

        line.Append(PacketId != 0 ? $" {PacketId}" : "");
        line.Append(ReasonCode is { } reason ? $" {reason} (0x{(byte)reason:X2})" : "");
        return line.Append(Type == PacketType.Publish ? $" '{Topic}' {PayloadLength} B" : "").ToString();
    }
}
