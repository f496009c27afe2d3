using Nightjar.Protocol.Codec;
using Xunit;

namespace Nightjar.Protocol.Tests.Codec;

public sealed class VariableByteIntegerTests
{
    // The table of 1.5.5: the edges of each size.
    [Theory(DisplayName = "[MQTT5-1.5.5-1] A variable byte integer has the fewest bytes")]
    [InlineData(0, "00")]
    [InlineData(127, "7F")]
    [InlineData(128, "8001")]
    [InlineData(16_383, "FF7F")]
    [InlineData(16_384, "808001")]
    [InlineData(2_097_151, "FFFF7F")]
    [InlineData(2_097_152, "80808001")]
    [InlineData(268_435_455, "FFFFFF7F")]
    public void A_value_and_its_bytes_become_each_other(uint value, string bytes)
    {
        var buffer = new byte[4];

        Assert.Equal(bytes.Length / 2, VariableByteInteger.Write(buffer, value));
        Assert.Equal(bytes, Convert.ToHexString(buffer.AsSpan(0, bytes.Length / 2)));
        Assert.Equal(bytes.Length / 2, VariableByteInteger.SizeOf(value));
        Assert.Equal(bytes.Length / 2, VariableByteInteger.Read(Convert.FromHexString(bytes + "FF"), out var read));
        Assert.Equal(value, read);
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("80", 0)]
    [InlineData("FFFFFF", 0)]
    [InlineData("FFFFFFFF", -1)]
    [InlineData("8080808000", -1)]
    public void A_value_that_does_not_end_is_told_from_one_that_is_too_long(string bytes, int size) =>
        Assert.Equal(size, VariableByteInteger.Read(Convert.FromHexString(bytes), out _));
}
