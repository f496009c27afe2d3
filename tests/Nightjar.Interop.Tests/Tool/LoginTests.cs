using Nightjar.Interop.Tests.Mosquitto;
using Xunit;

namespace Nightjar.Interop.Tests.Tool;

public sealed class LoginTests
{
    private const string Password = "owl-0f-the-n1ght";

    private static readonly MosquittoSettings WithUser = new() { User = ("heron", Password) };

    [Theory]
    [InlineData("31")]
    [InlineData("311")]
    [InlineData("5")]
    public async Task The_right_password_is_let_in(string version)
    {
        await using var broker = await MosquittoBroker.StartAsync(WithUser);

        var sent = await CommandLineClient.Nightjar.PublishAsync(
            broker, ["-t", "a", "-m", "b", "-q", "1", "-u", "heron", "-P", Password, "-V", version]);

        Assert.True(sent.Code == 0, sent.ToString());
    }

    [Theory]
    [InlineData("mqttv31", "-u", "heron", "-P", "wrong-secret")]
    [InlineData("mqttv311", "-u", "heron", "-P", "wrong-secret")]
    [InlineData("mqttv5", "-u", "heron", "-P", "wrong-secret")]
    [InlineData("mqttv311")]
    [InlineData("mqttv5")]
    public async Task A_refused_login_ends_with_the_code_of_the_server(string version, params string[] login)
    {
        await using var broker = await MosquittoBroker.StartAsync(WithUser);
        string[] arguments = ["-t", "a", "-m", "b", "-V", version, .. login];

        var ours = await CommandLineClient.Nightjar.PublishAsync(broker, arguments);
        var theirs = await CommandLineClient.Mosquitto.PublishAsync(broker, arguments);

        Assert.NotEqual(0, ours.Code);
        Assert.Equal(theirs.Code, ours.Code);
        Assert.Contains("the server refused the connection: NotAuthorized", ours.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("wrong-secret", ours.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_subscriber_is_refused_too_and_does_not_try_for_ever()
    {
        await using var broker = await MosquittoBroker.StartAsync(WithUser);

        await using var subscriber = CommandLineClient.Nightjar.StartSubscriber("-L", $"mqtt://heron:wrong-secret@127.0.0.1:{broker.Port}/a");
        var ours = await subscriber.ExitAsync();

        Assert.NotEqual(0, ours.Code);
        Assert.DoesNotContain("wrong-secret", ours.Errors, StringComparison.Ordinal);
    }
}
