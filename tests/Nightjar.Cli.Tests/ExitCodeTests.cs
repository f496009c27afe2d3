using Xunit;

namespace Nightjar.Cli.Tests;

public sealed class ExitCodeTests
{
    [Theory]
    [InlineData(ReasonCode.UnsupportedProtocolVersion, 1, 132)]
    [InlineData(ReasonCode.ClientIdentifierNotValid, 2, 133)]
    [InlineData(ReasonCode.ServerUnavailable, 3, 136)]
    [InlineData(ReasonCode.BadUserNameOrPassword, 4, 134)]
    [InlineData(ReasonCode.NotAuthorized, 5, 135)]
    public void A_refused_connection_returns_the_code_of_the_version_that_was_asked_for(ReasonCode code, int old, int five)
    {
        Assert.Equal(old, ExitCode.FromConnAck(code, MqttVersion.Mqtt31));
        Assert.Equal(old, ExitCode.FromConnAck(code, MqttVersion.Mqtt311));
        Assert.Equal(five, ExitCode.FromConnAck(code, MqttVersion.Mqtt5));
        Assert.Equal(five, ExitCode.FromConnAck(code, null));
    }

    [Fact]
    public void Every_code_is_in_the_table()
    {
        var codes = new[]
        {
            ExitCode.Success, ExitCode.Usage, ExitCode.CannotConnect, ExitCode.Tls, ExitCode.ConnectionLost, ExitCode.Refused, ExitCode.Protocol, ExitCode.Output,
            ExitCode.TimedOut, ExitCode.Interrupted, ExitCode.Terminated,
        };

        Assert.All(codes, code => Assert.Matches($@"(?m)(^ *|, ){code}\b", ExitCode.Table));
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7, 27, 130, 143], codes);
    }
}
