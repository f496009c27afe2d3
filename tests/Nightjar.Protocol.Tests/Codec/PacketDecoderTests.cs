using System.Text;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Protocol.Tests.Codec;

public sealed class PacketDecoderTests
{
    private static readonly byte[] Large = Wire.Bytes("32 { 'a/b' 0007 { 23 0002 } =0123456789= }");

    // Everything of it but the ten bytes of payload.
    private static readonly int LargeHeader = Large.Length - 10;

    [Fact]
    public void Nothing_is_not_a_packet_yet()
    {
        var decoder = new PacketDecoder(PacketSender.Server, MqttVersion.Mqtt5);

        Assert.Equal(DecodeStatus.NeedMore, decoder.Decode([], bufferFull: false, out _, out var consumed));
        Assert.Equal(0, consumed);
        Assert.Equal(0, decoder.BytesNeeded);
    }

    [Fact]
    public void The_whole_size_is_known_with_the_length()
    {
        var decoder = new PacketDecoder(PacketSender.Server, MqttVersion.Mqtt5);

        Assert.Equal(DecodeStatus.NeedMore, decoder.Decode([0x30, 0x80], bufferFull: false, out _, out _));
        Assert.Equal(0, decoder.BytesNeeded);
        Assert.Equal(DecodeStatus.NeedMore, decoder.Decode([0x30, 0x80, 0x80, 0x01], bufferFull: false, out _, out _));
        Assert.Equal(4 + 16384, decoder.BytesNeeded);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(10)]
    [InlineData(100)]
    public void A_publish_that_does_not_fit_comes_in_pieces(int chunk)
    {
        var decoder = new PacketDecoder(PacketSender.Server, MqttVersion.Mqtt5);
        byte[] input = [.. Large, .. Wire.Bytes("D0 00")];
        var payload = new List<byte>();

        var first = decoder.Decode(input.AsSpan(0, LargeHeader + 1), bufferFull: true, out var begin, out var at);
        Assert.Equal(DecodeStatus.PublishBegin, first);
        Assert.Equal(LargeHeader, at);
        Assert.Equal((Large.Length, 10), (begin.Size, begin.PayloadLength));
        Assert.Equal("a/b", Encoding.UTF8.GetString(begin.Publish.Topic));
        Assert.Equal((7, 2), (begin.Publish.PacketId, begin.Publish.TopicAlias));
        Assert.True(begin.Publish.Payload.IsEmpty);

        DecodeStatus status;
        do
        {
            var end = Math.Min(at + chunk, input.Length);
            status = decoder.Decode(input.AsSpan(at..end), bufferFull: false, out var piece, out var consumed);
            Assert.Equal((PacketType.Publish, payload.Count, 10), (piece.Type, piece.PayloadOffset, piece.PayloadLength));
            payload.AddRange(piece.Publish.Payload);
            at += consumed;
        }
        while (status == DecodeStatus.Payload);

        Assert.Equal(DecodeStatus.PublishEnd, status);
        Assert.Equal("0123456789", Encoding.UTF8.GetString([.. payload]));
        Assert.Equal(DecodeStatus.Packet, decoder.Decode(input.AsSpan(at), bufferFull: false, out var next, out _));
        Assert.Equal(PacketType.PingResp, next.Type);
    }

    [Fact]
    public void Between_pieces_a_full_buffer_may_be_empty()
    {
        var decoder = new PacketDecoder(PacketSender.Server, MqttVersion.Mqtt5);
        decoder.Decode(Large.AsSpan(0, LargeHeader), bufferFull: true, out _, out _);

        Assert.Equal(DecodeStatus.NeedMore, decoder.Decode([], bufferFull: true, out _, out var consumed));
        Assert.Equal(0, consumed);
        Assert.Equal(0, decoder.BytesNeeded);
        Assert.Equal(DecodeStatus.PublishEnd, decoder.Decode(Large.AsSpan(LargeHeader), bufferFull: true, out _, out _));
    }

    [Fact]
    public void A_publish_that_fits_a_full_buffer_comes_whole()
    {
        var decoder = new PacketDecoder(PacketSender.Server, MqttVersion.Mqtt5);

        Assert.Equal(DecodeStatus.Packet, decoder.Decode(Large, bufferFull: true, out var packet, out _));
        Assert.Equal(10, packet.Publish.Payload.Length);
    }

    [Theory(DisplayName = "[MQTT5-3.1.2-24] A packet that fills the buffer and cannot come in pieces is too large")]
    [InlineData("30")]
    [InlineData("30 80")]
    [InlineData("30 10 00")]
    [InlineData("30 10 0003 =a= 00")]
    [InlineData("32 80 01 0001 =a= 00")]
    [InlineData("30 80 01 0001 =a=")]
    [InlineData("30 80 01 0001 =a= 05 01 01 23 00")]
    [InlineData("20 80 01 00 00 7D 26 'k'")]
    [InlineData("D0")]
    public void A_packet_that_fills_the_buffer_is_too_large(string notation)
    {
        var decoder = new PacketDecoder(PacketSender.Server, MqttVersion.Mqtt5);

        Assert.Equal(DecodeStatus.Violation, decoder.Decode(Wire.Bytes(notation), bufferFull: true, out _, out _));
        Assert.Equal(ReasonCode.PacketTooLarge, decoder.Violation.ReasonCode);
        Assert.Equal("MQTT5-3.1.2-24", decoder.Violation.Clause);
    }

    [Fact]
    public void A_publish_in_pieces_breaks_the_same_rules()
    {
        var decoder = new PacketDecoder(PacketSender.Server, MqttVersion.Mqtt5);

        Assert.Equal(DecodeStatus.Violation, decoder.Decode(Wire.Bytes("30 7F 'a/#' 00 =abc="), bufferFull: true, out _, out var consumed));
        Assert.Equal("MQTT5-3.3.2-2", decoder.Violation.Clause);
        Assert.Equal(0, consumed);
    }

    [Theory]
    [InlineData(PacketSender.Server, MqttVersion.Mqtt5, "MQTT5-3.1.2-24")]
    [InlineData(PacketSender.Client, MqttVersion.Mqtt5, "MQTT5-3.2.2-15")]
    [InlineData(PacketSender.Server, MqttVersion.Mqtt311, "MQTT311-2.2.3")]
    public void The_maximum_packet_size_is_checked_as_soon_as_the_length_is_known(PacketSender sender, MqttVersion version, string clause)
    {
        // Three bytes of fixed header and 128 that they announce.
        var fits = new PacketDecoder(sender, version, maximumPacketSize: 131);
        var tooLarge = new PacketDecoder(sender, version, maximumPacketSize: 130);
        var huge = new PacketDecoder(sender, version, maximumPacketSize: 130);

        Assert.Equal(DecodeStatus.NeedMore, fits.Decode([0x30, 0x80, 0x01], bufferFull: false, out _, out _));
        Assert.Equal(DecodeStatus.Violation, tooLarge.Decode([0x30, 0x80, 0x01], bufferFull: false, out _, out _));
        Assert.Equal(DecodeStatus.Violation, huge.Decode([0x30, 0xFF, 0xFF, 0xFF, 0x7F], bufferFull: true, out _, out _));
        Assert.Equal((ReasonCode.PacketTooLarge, clause), (tooLarge.Violation.ReasonCode, tooLarge.Violation.Clause));
        Assert.Equal((ReasonCode.PacketTooLarge, clause), (huge.Violation.ReasonCode, huge.Violation.Clause));
        Assert.Contains("268435460 bytes", huge.Violation.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_limit_that_lets_nothing_through_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new PacketDecoder(PacketSender.Server, MqttVersion.Mqtt5, maximumPacketSize: 0));

    [Theory]
    [InlineData("10 { 'MQTT' 05 02 003C { } 'a' }", MqttVersion.Mqtt5)]
    [InlineData("10 { 'MQTT' 04 02 003C 'a' }", MqttVersion.Mqtt311)]
    [InlineData("10 { 'MQIsdp' 03 02 003C 'a' }", MqttVersion.Mqtt31)]
    [InlineData("10 { 'MQTT' 04 42 003C 'a' 'p' }", MqttVersion.Mqtt311)]
    [InlineData("10 { 'MQTT' 63 02 003C 'a' }", MqttVersion.Mqtt5)]
    [InlineData("10 { 'MQTT' 00 02 003C 'a' }", MqttVersion.Mqtt311)]
    public void A_connect_sets_the_version_even_of_its_refusal(string connect, MqttVersion version)
    {
        var decoder = new PacketDecoder(PacketSender.Client, version == MqttVersion.Mqtt5 ? MqttVersion.Mqtt31 : MqttVersion.Mqtt5);

        decoder.Decode(Wire.Bytes(connect), bufferFull: false, out _, out _);

        Assert.Equal(version, decoder.Version);
    }

    [Fact]
    public void A_refusal_in_the_form_of_3_1_1_leaves_the_version_to_the_client()
    {
        var decoder = new PacketDecoder(PacketSender.Server, MqttVersion.Mqtt5);

        Assert.Equal(DecodeStatus.Packet, decoder.Decode([0x20, 0x02, 0x00, 0x01], bufferFull: false, out var packet, out _));
        Assert.Equal(ReasonCode.UnsupportedProtocolVersion, Assert.IsType<ConnAckPacket>(packet.Other).ReasonCode);
        Assert.Equal(MqttVersion.Mqtt5, decoder.Version);
    }

    [Fact]
    public void Reset_forgets_a_violation_and_a_payload()
    {
        var decoder = new PacketDecoder(PacketSender.Server, MqttVersion.Mqtt5);
        decoder.Decode(Large.AsSpan(0, LargeHeader), bufferFull: true, out _, out _);
        decoder.Reset(MqttVersion.Mqtt311);
        Assert.Equal(DecodeStatus.Violation, decoder.Decode([0x00], bufferFull: false, out _, out _));

        decoder.Reset(MqttVersion.Mqtt5);

        Assert.Equal(default, decoder.Violation);
        Assert.Equal(DecodeStatus.Packet, decoder.Decode(Large, bufferFull: false, out _, out _));
    }

    [Fact]
    public void A_violation_says_what_and_where()
    {
        var decoder = new PacketDecoder(PacketSender.Server, MqttVersion.Mqtt5);
        decoder.Decode([0x36, 0x00], bufferFull: false, out _, out _);

        Assert.Equal("PUBLISH has QoS 3. [MQTT5-3.3.1-4]", decoder.Violation.ToString());
    }
}
