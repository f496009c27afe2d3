using System.Text;
using Nightjar.Protocol.Codec;
using Xunit;

namespace Nightjar.Protocol.Tests.Codec;

public sealed class PropertyReaderTests
{
    [Fact]
    public void Properties_come_in_the_order_of_the_wire_with_their_place()
    {
        var reader = new PropertyReader(Wire.Bytes("01 01 23 1234 02 89ABCDEF 0B FFFFFF7F 03 'ct' 09 0002 CAFE 26 'k' 'v'"));
        var seen = new List<string>();

        while (reader.Read())
        {
            var content = reader.Id switch
            {
                PropertyId.UserProperty => $"{Encoding.UTF8.GetString(reader.Bytes)}={Encoding.UTF8.GetString(reader.Value)}",
                PropertyId.ContentType or PropertyId.CorrelationData => Convert.ToHexString(reader.Bytes),
                _ => $"{reader.Number}",
            };
            seen.Add($"{reader.Offset} {reader.Id} {content}");
        }

        Assert.Equal(
            [
                "0 PayloadFormatIndicator 1",
                "2 TopicAlias 4660",
                "5 MessageExpiryInterval 2309737967",
                "10 SubscriptionIdentifier 268435455",
                "15 ContentType 6374",
                "20 CorrelationData CAFE",
                "25 UserProperty k=v",
            ],
            seen);
    }

    [Theory]
    [InlineData("")]
    [InlineData("00 01 01")]
    [InlineData("01")]
    [InlineData("23 00")]
    [InlineData("02 000000")]
    [InlineData("0B 80808080 01")]
    [InlineData("03 0005 =a=")]
    [InlineData("26 'k' 00")]
    public void A_section_that_is_not_well_formed_ends_early(string notation)
    {
        var reader = new PropertyReader(Wire.Bytes(notation));

        Assert.False(reader.Read());
        Assert.False(reader.Read());
    }
}
