using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Protocol.Tests.Codec;

public sealed class CodecAllocationTests
{
    private const int Iterations = 10_000;

    [Theory]
    [InlineData(MqttVersion.Mqtt311, QoS.AtMostOnce, "")]
    [InlineData(MqttVersion.Mqtt311, QoS.AtLeastOnce, "")]
    [InlineData(MqttVersion.Mqtt311, QoS.ExactlyOnce, "")]
    [InlineData(MqttVersion.Mqtt5, QoS.AtMostOnce, "")]
    [InlineData(MqttVersion.Mqtt5, QoS.AtLeastOnce, "")]
    [InlineData(MqttVersion.Mqtt5, QoS.ExactlyOnce, "23 0001 03 'text' 26 'k' 'v'")]
    public void A_publish_is_written_and_read_without_allocating(MqttVersion version, QoS qos, string properties)
    {
        var section = Wire.Bytes(properties);
        var payload = new byte[1000];
        var buffer = new byte[2000];
        var decoder = new PacketDecoder(PacketSender.Server, version);
        long sum = 0;

        var allocated = Allocated(() =>
        {
            var message = new PublishPacket
            {
                QoS = qos,
                PacketId = qos == QoS.AtMostOnce ? (ushort)0 : (ushort)7,
                Topic = "größe/a/b"u8,
                Properties = section,
                Payload = payload,
            };
            var size = PacketWriter.Write(message, version, buffer);
            sum += decoder.Decode(buffer.AsSpan(0, size), bufferFull: false, out var packet, out var consumed) == DecodeStatus.Packet
                ? packet.Publish.Payload.Length + consumed - size
                : 0;
        });

        Assert.Equal(0, allocated);
        Assert.Equal(2L * Iterations * payload.Length, sum);
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt311, ReasonCode.Success)]
    [InlineData(MqttVersion.Mqtt5, ReasonCode.Success)]
    [InlineData(MqttVersion.Mqtt5, ReasonCode.NotAuthorized)]
    public void An_acknowledgement_is_written_and_read_without_allocating(MqttVersion version, ReasonCode code)
    {
        var buffer = new byte[10];
        var decoder = new PacketDecoder(PacketSender.Client, version);
        long sum = 0;

        var allocated = Allocated(() =>
        {
            var size = PacketWriter.Write(new AckPacket(PacketType.PubAck, 3, code), version, buffer);
            sum += decoder.Decode(buffer.AsSpan(0, size), bufferFull: false, out var packet, out _) == DecodeStatus.Packet
                ? packet.Ack.PacketId
                : 0;
        });

        Assert.Equal(0, allocated);
        Assert.Equal(2L * Iterations * 3, sum);
    }

    [Fact]
    public void A_streamed_publish_is_read_without_allocating()
    {
        var bytes = Wire.Bytes("32 { 'a/b' 0007 { 23 0002 } =0123456789= }");
        var decoder = new PacketDecoder(PacketSender.Server, MqttVersion.Mqtt5);
        var ends = 0;

        var allocated = Allocated(() =>
        {
            decoder.Decode(bytes.AsSpan(0, 15), bufferFull: true, out _, out var begin);
            decoder.Decode(bytes.AsSpan(begin, 3), bufferFull: true, out _, out var piece);
            ends += decoder.Decode(bytes.AsSpan(begin + piece), bufferFull: true, out _, out _) == DecodeStatus.PublishEnd ? 1 : 0;
        });

        Assert.Equal(0, allocated);
        Assert.Equal(2 * Iterations, ends);
    }

    // The first round compiles; the second one counts.
    private static long Allocated(Action work)
    {
        Repeat(work);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Repeat(work);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static void Repeat(Action work)
    {
        for (var i = 0; i < Iterations; i++)
        {
            work();
        }
    }
}
