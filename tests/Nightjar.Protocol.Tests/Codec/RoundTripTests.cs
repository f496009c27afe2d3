using FsCheck;
using FsCheck.Fluent;
using Nightjar.Protocol.Codec;
using Xunit;

namespace Nightjar.Protocol.Tests.Codec;

/// <summary>Any packet comes back as it was, however it is cut.</summary>
public sealed class RoundTripTests
{
    private static readonly Config Many =
        Config.QuickThrowOnFailure.WithMaxTest(2000).WithStartSize(10).WithEndSize(200).WithQuietOnSuccess(true);

    [Theory]
    [InlineData(PacketSender.Client, MqttVersion.Mqtt31)]
    [InlineData(PacketSender.Client, MqttVersion.Mqtt311)]
    [InlineData(PacketSender.Client, MqttVersion.Mqtt5)]
    [InlineData(PacketSender.Server, MqttVersion.Mqtt31)]
    [InlineData(PacketSender.Server, MqttVersion.Mqtt311)]
    [InlineData(PacketSender.Server, MqttVersion.Mqtt5)]
    public void A_packet_comes_back_as_it_was(PacketSender sender, MqttVersion version) =>
        Check.One(Many, Prop.ForAll<byte[]>(choices =>
        {
            var packet = AnyPacket.From(new Choices(choices), sender, version);
            var bytes = Wire.Write(packet, version);
            Assert.Equal(Wire.Describe(packet), Wire.Describe(Wire.Read(bytes, sender, version)));
        }));

    [Theory]
    [InlineData(PacketSender.Client)]
    [InlineData(PacketSender.Server)]
    public void Several_packets_come_back_however_they_are_cut(PacketSender sender) =>
        Check.One(Many, Prop.ForAll<byte[], byte[], byte[]>((first, second, cuts) =>
        {
            var version = Vector.All[(cuts.Length + first.Length) % Vector.All.Length];
            object[] packets = [AnyPacket.From(new Choices(first), sender, version), AnyPacket.From(new Choices(second), sender, version)];
            byte[] bytes = [.. packets.SelectMany(packet => Wire.Write(packet, version))];

            Assert.Equal(packets.Select(Wire.Describe), ReadInChunks(bytes, sender, version, new Choices(cuts)).Select(Wire.Describe));
        }));

    private static List<object> ReadInChunks(byte[] bytes, PacketSender sender, MqttVersion version, Choices cuts)
    {
        var decoder = new PacketDecoder(sender, version);
        var packets = new List<object>();
        var (start, end) = (0, 0);
        while (start < bytes.Length)
        {
            var status = decoder.Decode(bytes.AsSpan(start, end - start), bufferFull: false, out var packet, out var consumed);
            start += consumed;
            if (status == DecodeStatus.Packet)
            {
                packets.Add(Wire.ToObject(packet));
            }
            else
            {
                Assert.Equal(DecodeStatus.NeedMore, status);
                end = Math.Min(end + 1 + cuts.Below(20), bytes.Length);
            }
        }

        return packets;
    }
}
