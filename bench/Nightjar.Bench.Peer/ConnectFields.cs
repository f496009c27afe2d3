using System.Buffers.Binary;
using System.Text;

namespace Nightjar.Bench.Peer;

/// <summary>What the peer needs to know of a CONNECT.</summary>
internal readonly record struct ConnectFields(int Level, string ClientId, int ReceiveMaximum)
{
    private const byte ReceiveMaximumProperty = 0x21;

    public static ConnectFields Read(ReadOnlySpan<byte> packet)
    {
        var nameLength = BinaryPrimitives.ReadUInt16BigEndian(packet);
        int level = packet[2 + nameLength];
        if (level is not (3 or 4 or 5))
        {
            throw new InvalidDataException($"protocol level {level}");
        }

        // Level, flags and keep-alive come before the properties, which only 5.0 has.
        var rest = packet[(2 + nameLength + 4)..];
        var receiveMaximum = (int)ushort.MaxValue;
        if (level == 5)
        {
            var start = Wire.ReadLength(rest, out var length);
            receiveMaximum = FindReceiveMaximum(rest.Slice(start, length));
            rest = rest[(start + length)..];
        }

        return new ConnectFields(level, Encoding.UTF8.GetString(rest[2..Prefixed(rest)]), receiveMaximum);
    }

    private static int FindReceiveMaximum(ReadOnlySpan<byte> properties)
    {
        while (!properties.IsEmpty)
        {
            var value = properties[1..];
            if (properties[0] == ReceiveMaximumProperty)
            {
                return BinaryPrimitives.ReadUInt16BigEndian(value);
            }

            properties = value[ValueLength(properties[0], value)..];
        }

        return ushort.MaxValue;
    }

    private static int ValueLength(byte property, ReadOnlySpan<byte> value) => property switch
    {
        0x17 or 0x19 => 1,
        0x22 => 2,
        0x11 or 0x27 => 4,
        0x15 or 0x16 => Prefixed(value),
        0x26 => Prefixed(value) + Prefixed(value[Prefixed(value)..]),
        _ => throw new InvalidDataException($"property 0x{property:X2} in a CONNECT"),
    };

    private static int Prefixed(ReadOnlySpan<byte> value) => 2 + BinaryPrimitives.ReadUInt16BigEndian(value);
}
