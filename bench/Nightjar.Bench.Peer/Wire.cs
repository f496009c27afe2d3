using System.Buffers.Binary;

namespace Nightjar.Bench.Peer;

/// <summary>The little of MQTT that this peer and the bare loops need: packet types, first bytes, the remaining length.</summary>
public static class Wire
{
    /// <summary>Packet types: the upper half of the first byte.</summary>
    internal const int Connect = 1;
    internal const int Publish = 3;
    internal const int PubAck = 4;
    internal const int PubRel = 6;
    internal const int Subscribe = 8;
    internal const int Unsubscribe = 10;
    internal const int PingReq = 12;
    internal const int Disconnect = 14;

    /// <summary>The first byte of a PUBACK.</summary>
    public const byte PubAckHeader = 0x40;

    /// <summary>The first byte of a PUBREC.</summary>
    public const byte PubRecHeader = 0x50;

    /// <summary>The first byte of a PUBREL, with its reserved flags.</summary>
    public const byte PubRelHeader = 0x62;

    /// <summary>The first byte of a PUBCOMP.</summary>
    public const byte PubCompHeader = 0x70;

    /// <summary>The length of an acknowledgement without reason code: header, length, packet id.</summary>
    public const int AcknowledgementLength = 4;

    /// <summary>Reads a variable byte integer; returns its length. Throws <see cref="InvalidDataException"/> if it has no end.</summary>
    internal static int ReadLength(ReadOnlySpan<byte> source, out int value)
    {
        value = 0;
        for (var at = 0; at < 4 && at < source.Length; at++)
        {
            value |= (source[at] & 0x7F) << (7 * at);
            if (source[at] < 0x80)
            {
                return at + 1;
            }
        }

        throw new InvalidDataException("a malformed length");
    }

    /// <summary>Writes a variable byte integer; returns its length.</summary>
    internal static int WriteLength(Span<byte> destination, int value)
    {
        var at = 0;
        while (value >= 0x80)
        {
            destination[at++] = (byte)(value | 0x80);
            value >>= 7;
        }

        destination[at++] = (byte)value;
        return at;
    }

    /// <summary>Finds the body of the packet at <paramref name="at"/>; false if its header is not all there yet.</summary>
    internal static bool TryReadHeader(ReadOnlySpan<byte> input, int at, out int body, out int length)
    {
        body = at + 2;
        length = 0;
        if (input.Length < body)
        {
            return false;
        }

        length = input[at + 1];
        if (length < 0x80)
        {
            return true;
        }

        var rest = input[(at + 1)..];
        if (rest.Length < 4 && rest[^1] >= 0x80)
        {
            return false;
        }

        body = at + 1 + ReadLength(rest, out length);
        return true;
    }

    internal static ushort ReadId(ReadOnlySpan<byte> packet, int at) =>
        packet.Length >= at + 2 ? BinaryPrimitives.ReadUInt16BigEndian(packet[at..]) : throw new InvalidDataException("a packet without its id");
}
