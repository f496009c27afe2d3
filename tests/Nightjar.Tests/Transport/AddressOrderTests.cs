using System.Net;
using Nightjar.Transport;
using Xunit;

namespace Nightjar.Tests.Transport;

public sealed class AddressOrderTests
{
    [Theory]
    [InlineData("2001:db8::1 2001:db8::2 192.0.2.1 192.0.2.2", "2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2")]
    [InlineData("192.0.2.1 2001:db8::1 2001:db8::2 2001:db8::3", "192.0.2.1 2001:db8::1 2001:db8::2 2001:db8::3")]
    [InlineData("192.0.2.1 192.0.2.2", "192.0.2.1 192.0.2.2")]
    [InlineData("::1", "::1")]
    [InlineData("", "")]
    public void Families_take_turns_and_the_resolvers_first_goes_first(string resolved, string expected)
    {
        var ordered = AddressOrder.Interleave([.. resolved.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(IPAddress.Parse)]);

        Assert.Equal(expected, string.Join(' ', ordered.AsEnumerable()));
    }
}
