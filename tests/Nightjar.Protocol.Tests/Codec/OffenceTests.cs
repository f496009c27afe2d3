using System.Reflection;
using Nightjar.Protocol.Codec;
using Xunit;

namespace Nightjar.Protocol.Tests.Codec;

/// <summary>Each rule that the decoder knows is broken at least once; see the tables.</summary>
public sealed class OffenceTests
{
    private static readonly Offence[] Table = [.. HeaderOffences.Table, .. PacketOffences.Table];

    public static IEnumerable<TheoryDataRow<int>> Rows => Offence.Rows(Table);

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_broken_rule_is_named_and_ends_the_connection(int index)
    {
        var offence = Table[index];
        var decoder = new PacketDecoder(offence.Sender, offence.Version);

        Assert.Equal(DecodeStatus.Violation, decoder.Decode(offence.Bytes, bufferFull: false, out var packet, out var consumed));
        Assert.Equal(offence.Clause, decoder.Violation.Clause);
        Assert.Equal(offence.ReasonCode, decoder.Violation.ReasonCode);
        Assert.Equal(0, consumed);
        Assert.Null(packet.Other);
        Assert.True(packet.Publish.Topic.IsEmpty);

        Assert.Equal(DecodeStatus.Violation, decoder.Decode([0xD0, 0x00], bufferFull: false, out _, out consumed));
        Assert.Equal(0, consumed);
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Bytes_that_come_one_by_one_break_the_same_rule(int index)
    {
        var offence = Table[index];
        var decoder = new PacketDecoder(offence.Sender, offence.Version);
        var status = DecodeStatus.NeedMore;

        for (var length = 0; length <= offence.Bytes.Length && status == DecodeStatus.NeedMore; length++)
        {
            status = decoder.Decode(offence.Bytes.AsSpan(0, length), bufferFull: false, out _, out var consumed);
            Assert.Equal(0, consumed);
        }

        Assert.Equal(DecodeStatus.Violation, status);
        Assert.Equal(offence.Clause, decoder.Violation.Clause);
    }

    [Fact]
    public void Each_rule_is_broken_once()
    {
        // These two depend on the buffer and the limit; PacketDecoderTests breaks them.
        var messages = Table.Select(MessageOf).Append(Rules.TooLargeFromServer.BrokenIn(MqttVersion.Mqtt5).Message).ToHashSet();
        var rules = typeof(Rules).GetFields(BindingFlags.Public | BindingFlags.Static);

        Assert.True(rules.Length > 50);
        Assert.All(rules, rule => Assert.Contains(((Rule)rule.GetValue(null)!).BrokenIn(MqttVersion.Mqtt5).Message, messages));
    }

    private static string MessageOf(Offence offence)
    {
        var decoder = new PacketDecoder(offence.Sender, offence.Version);
        decoder.Decode(offence.Bytes, bufferFull: false, out _, out _);
        return decoder.Violation.Message;
    }
}
