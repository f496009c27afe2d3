using System.Globalization;
using System.Text;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Tests.Codec;

/// <summary>
/// Bytes in a notation for people: hexadecimal pairs; <c>'text'</c> is a text with its two length bytes, <c>=text=</c> one without;
/// <c>{ ... }</c> is preceded by its length as a variable byte integer. Spaces say nothing.
/// </summary>
internal static class Wire
{
    public static byte[] Bytes(string notation)
    {
        var sections = new Stack<List<byte>>([[]]);
        for (var i = 0; i < notation.Length; i++)
        {
            switch (notation[i])
            {
                case ' ':
                    break;
                case '{':
                    sections.Push([]);
                    break;
                case '}':
                    var section = sections.Pop();
                    sections.Peek().AddRange([.. Length(section.Count), .. section]);
                    break;
                case '\'' or '=':
                    var end = notation.IndexOf(notation[i], i + 1);
                    var text = Encoding.UTF8.GetBytes(notation[(i + 1)..end]);
                    byte[] size = notation[i] == '=' ? [] : [(byte)(text.Length >> 8), (byte)text.Length];
                    sections.Peek().AddRange([.. size, .. text]);
                    i = end;
                    break;
                default:
                    sections.Peek().Add(byte.Parse(notation.AsSpan(i, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                    i++;
                    break;
            }
        }

        return [.. sections.Single()];
    }

    /// <summary>Writes any packet, a PUBLISH as <see cref="Message"/>.</summary>
    public static byte[] Write(object packet, MqttVersion version) => packet is Message message
        ? PacketWriter.ToArray(message.ToPacket(), version)
        : PacketWriter.ToArray(packet, version);

    /// <summary>The first packet of the bytes, or the violation as a text.</summary>
    public static object Read(byte[] bytes, PacketSender sender, MqttVersion version)
    {
        var decoder = new PacketDecoder(sender, version);
        var status = decoder.Decode(bytes, bufferFull: false, out var packet, out _);
        return status switch
        {
            DecodeStatus.Packet => ToObject(packet),
            DecodeStatus.Violation => decoder.Violation.ToString(),
            _ => status,
        };
    }

    /// <summary>What the packet holds, as a text that compares all its fields.</summary>
    public static string Describe(object packet) => PacketText.Of(packet);

    public static object ToObject(in DecodedPacket packet) => packet.Type switch
    {
        PacketType.Publish => Message.From(packet.Publish),
        PacketType.PubAck or PacketType.PubRec or PacketType.PubRel or PacketType.PubComp => packet.Ack,
        PacketType.PingReq => default(PingReqPacket),
        PacketType.PingResp => default(PingRespPacket),
        _ => packet.Other!,
    };

    private static List<byte> Length(int count)
    {
        var bytes = new List<byte>();
        for (; count > 127; count /= 128)
        {
            bytes.Add((byte)((count % 128) + 128));
        }

        bytes.Add((byte)count);
        return bytes;
    }
}
