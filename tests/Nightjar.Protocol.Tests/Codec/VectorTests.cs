using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Protocol.Tests.Codec;

/// <summary>Every packet, both ways, in all versions; see the tables.</summary>
public sealed class VectorTests
{
    private static readonly Vector[] Table = [.. SessionVectors.Table, .. MessageVectors.Table];

    public static IEnumerable<TheoryDataRow<int, PacketSender, MqttVersion>> Rows => Vector.Rows(Table);

    public static IEnumerable<TheoryDataRow<int, PacketSender, MqttVersion>> Written =>
        Rows.Where(row => !Table[row.Data.Item1].ReadOnly);

    [Theory]
    [MemberData(nameof(Rows))]
    public void Bytes_become_the_packet(int index, PacketSender sender, MqttVersion version)
    {
        var vector = Table[index];

        Assert.Equal(Wire.Describe(vector.Packet), Wire.Describe(Wire.Read(vector.Bytes, sender, version)));
    }

    [Theory]
    [MemberData(nameof(Written))]
    public void The_packet_becomes_the_bytes(int index, PacketSender sender, MqttVersion version)
    {
        var vector = Table[index];

        Assert.Contains(sender, vector.Senders);
        Assert.Equal(Convert.ToHexString(vector.Bytes), Convert.ToHexString(Wire.Write(vector.Packet, version)));
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Bytes_that_come_one_by_one_become_the_same_packet(int index, PacketSender sender, MqttVersion version)
    {
        var vector = Table[index];
        byte[] bytes = vector.Bytes;
        var decoder = new PacketDecoder(sender, version);

        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(DecodeStatus.NeedMore, decoder.Decode(bytes.AsSpan(0, length), bufferFull: false, out _, out var consumed));
            Assert.Equal(0, consumed);
            Assert.True(decoder.BytesNeeded == 0 || decoder.BytesNeeded == bytes.Length);
            Assert.True(decoder.BytesNeeded > 0 || length < 5);
        }

        Assert.Equal(DecodeStatus.Packet, decoder.Decode(bytes, bufferFull: true, out var packet, out var all));
        Assert.Equal(bytes.Length, all);
        Assert.Equal(bytes.Length, packet.Size);
        Assert.Equal(Wire.Describe(vector.Packet), Wire.Describe(Wire.ToObject(packet)));
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void What_follows_a_packet_is_left_alone(int index, PacketSender sender, MqttVersion version)
    {
        var vector = Table[index];
        byte[] twice = [.. vector.Bytes, .. vector.Bytes];
        var decoder = new PacketDecoder(sender, version);

        Assert.Equal(DecodeStatus.Packet, decoder.Decode(twice, bufferFull: false, out _, out var consumed));
        Assert.Equal(DecodeStatus.Packet, decoder.Decode(twice.AsSpan(consumed), bufferFull: false, out var packet, out _));
        Assert.Equal(Wire.Describe(vector.Packet), Wire.Describe(Wire.ToObject(packet)));
    }

    [Fact]
    public void The_tables_hold_all_packets_of_all_versions()
    {
        var seen = Rows.Select(row => (Type: (PacketType)(Table[row.Data.Item1].Bytes[0] >> 4), Version: row.Data.Item3)).ToHashSet();

        foreach (var version in Vector.All)
        {
            var last = version == MqttVersion.Mqtt5 ? PacketType.Auth : PacketType.Disconnect;
            Assert.All(Enumerable.Range(1, (int)last), type => Assert.Contains(((PacketType)type, version), seen));
        }
    }
}
