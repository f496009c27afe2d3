using System.Buffers.Binary;
using System.Text;

namespace Nightjar.Bench.Peer;

/// <summary>One PUBLISH as bytes, to be repeated: what the source sends, and what the bare loops send in place of a client.</summary>
public sealed class PublishTemplate
{
    /// <summary>The first byte of the payload of the last message of a run; it is 0 in all others.</summary>
    public const byte LastMark = 0xFF;

    private readonly byte[] _packet;
    private readonly int _idAt;
    private readonly int _payloadAt;

    /// <summary>Lays the packet out once.</summary>
    public PublishTemplate(string topic, int payloadSize, int qos, bool version5)
    {
        var name = Encoding.UTF8.GetBytes(topic);
        var remaining = 2 + name.Length + (qos > 0 ? 2 : 0) + (version5 ? 1 : 0) + payloadSize;
        Span<byte> header = stackalloc byte[5];
        header[0] = (byte)(0x30 | (qos << 1));
        var headerLength = 1 + Wire.WriteLength(header[1..], remaining);

        _packet = new byte[headerLength + remaining];
        header[..headerLength].CopyTo(_packet);
        BinaryPrimitives.WriteUInt16BigEndian(_packet.AsSpan(headerLength), (ushort)name.Length);
        name.CopyTo(_packet, headerLength + 2);
        _idAt = headerLength + 2 + name.Length;
        _payloadAt = _packet.Length - payloadSize;
        Payload(payloadSize).CopyTo(_packet, _payloadAt);
    }

    /// <summary>Of the whole packet.</summary>
    public int Length => _packet.Length;

    /// <summary>The payload that every message of a measurement carries.</summary>
    public static byte[] Payload(int size)
    {
        var payload = new byte[size];
        for (var at = 1; at < size; at++)
        {
            payload[at] = (byte)(at & 0x7F);
        }

        return payload;
    }

    /// <summary>So many packets, one after the other.</summary>
    public byte[] Repeat(int count)
    {
        var bytes = new byte[count * Length];
        for (var at = 0; at < bytes.Length; at += Length)
        {
            CopyTo(bytes.AsSpan(at));
        }

        return bytes;
    }

    /// <summary>Writes the packet.</summary>
    public void CopyTo(Span<byte> destination) => _packet.CopyTo(destination);

    /// <summary>Sets the packet id of the packet that starts here.</summary>
    public void SetId(Span<byte> packet, ushort id) => BinaryPrimitives.WriteUInt16BigEndian(packet[_idAt..], id);

    /// <summary>Marks the packet that starts here as the last of its run.</summary>
    public void MarkLast(Span<byte> packet) => packet[_payloadAt] = LastMark;
}
