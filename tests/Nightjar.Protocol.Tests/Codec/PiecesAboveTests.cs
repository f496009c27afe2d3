using System.Text;
using Nightjar.Protocol.Codec;
using Xunit;

namespace Nightjar.Protocol.Tests.Codec;

/// <summary>A PUBLISH that is to come in pieces though the buffer could grow.</summary>
public sealed class PiecesAboveTests
{
    private const int Limit = 20;

    private static readonly byte[] Large = Wire.Bytes("32 { 'a/b' 0007 { 23 0002 } =0123456789= }");

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(1000)]
    public void A_larger_one_comes_in_pieces_however_its_bytes_arrive(int chunk)
    {
        var decoder = Decoder(Limit);
        byte[] input = [.. Large, .. Wire.Bytes("D0 00")];
        var payload = new StringBuilder();
        List<DecodeStatus> seen = [];
        var start = 0;
        for (var end = Math.Min(chunk, input.Length); start < input.Length; end = Math.Min(end + chunk, input.Length))
        {
            DecodeStatus status;
            while ((status = decoder.Decode(input.AsSpan(start..end), bufferFull: false, out var packet, out var consumed)) != DecodeStatus.NeedMore)
            {
                Assert.NotEqual(DecodeStatus.Violation, status);
                if (status is DecodeStatus.Payload or DecodeStatus.PublishEnd)
                {
                    Assert.Equal(payload.Length, packet.PayloadOffset);
                    payload.Append(Encoding.UTF8.GetString(packet.Publish.Payload));
                }

                seen.Add(status);
                start += consumed;
            }
        }

        Assert.Equal("0123456789", payload.ToString());
        Assert.Equal([DecodeStatus.PublishBegin, DecodeStatus.PublishEnd, DecodeStatus.Packet], seen.Where(s => s != DecodeStatus.Payload));
    }

    [Fact]
    public void One_that_is_not_larger_comes_whole()
    {
        var decoder = Decoder(Large.Length);

        Assert.Equal(DecodeStatus.NeedMore, decoder.Decode(Large.AsSpan(0, Large.Length - 1), bufferFull: false, out _, out _));
        Assert.Equal(Large.Length, decoder.BytesNeeded);
        Assert.Equal(DecodeStatus.Packet, decoder.Decode(Large, bufferFull: false, out _, out _));
    }

    [Fact]
    public void One_whose_payload_is_empty_ends_all_the_same()
    {
        var decoder = Decoder(Limit);
        var input = Wire.Bytes("30 { 'a/very/long/topic/indeed' { } }");

        Assert.Equal(DecodeStatus.PublishBegin, decoder.Decode(input, bufferFull: false, out var begin, out var consumed));
        Assert.Equal((input.Length, 0), (consumed, begin.PayloadLength));
        Assert.Equal(DecodeStatus.PublishEnd, decoder.Decode([], bufferFull: false, out _, out consumed));
        Assert.Equal(0, consumed);
        Assert.Equal(DecodeStatus.Packet, decoder.Decode(Wire.Bytes("D0 00"), bufferFull: false, out _, out _));
    }

    [Fact]
    public void Other_packets_must_not_be_larger()
    {
        var decoder = Decoder(Limit);

        Assert.Equal(DecodeStatus.Violation, decoder.Decode([0x90, Limit - 1], bufferFull: false, out _, out _));
        Assert.Equal(ReasonCode.PacketTooLarge, decoder.Violation.ReasonCode);
    }

    [Fact]
    public void A_header_that_does_not_end_is_given_up()
    {
        // Properties of 200 MB: whoever declares that has to send it, and it is not gathered for ever.
        var decoder = Decoder(Limit);
        byte[] input = [0x30, 0xFF, 0xFF, 0xFF, 0x7F, 0, 1, (byte)'t', 0xFF, 0xFF, 0xFF, 0x60, .. new byte[PacketDecoder.LargestHeader]];

        Assert.Equal(DecodeStatus.NeedMore, decoder.Decode(input.AsSpan(0, PacketDecoder.LargestHeader - 1), bufferFull: false, out _, out _));
        Assert.Equal(DecodeStatus.Violation, decoder.Decode(input.AsSpan(0, PacketDecoder.LargestHeader), bufferFull: false, out _, out _));
        Assert.Equal(ReasonCode.PacketTooLarge, decoder.Violation.ReasonCode);
    }

    [Fact]
    public void A_field_that_runs_past_the_end_is_a_breach_and_no_reason_to_wait()
    {
        var decoder = Decoder(Limit);
        byte[] input = [0x30, 30, 0, 100, .. new byte[28]];

        Assert.Equal(DecodeStatus.Violation, decoder.Decode(input, bufferFull: false, out _, out _));
        Assert.Equal(ReasonCode.MalformedPacket, decoder.Violation.ReasonCode);
    }

    private static PacketDecoder Decoder(int limit) => new(PacketSender.Server, MqttVersion.Mqtt5) { PiecesAbove = limit };
}
