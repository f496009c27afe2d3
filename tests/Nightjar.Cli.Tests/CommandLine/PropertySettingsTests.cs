using Nightjar.Cli.CommandLine;
using Xunit;

namespace Nightjar.Cli.Tests.CommandLine;

public sealed class PropertySettingsTests
{
    [Fact]
    public void A_publish_takes_all_its_properties()
    {
        var settings = new PubSettings();
        settings.Read(
        [
            "-t", "a", "-m", "x", "-D", "publish", "content-type", "text/plain", "-D", "PUBLISH", "Correlation-Data", "-1",
            "--property", "publish", "message-expiry-interval", "4294967295", "-D", "publish", "payload-format-indicator", "1",
            "-D", "publish", "response-topic", "re/ply", "-D", "publish", "topic-alias", "3",
            "-D", "publish", "user-property", "k", "v", "-D", "publish", "user-property", "k", "-D",
        ]);

        var message = settings.ToMessage("x"u8.ToArray());

        Assert.Equal("text/plain", message.ContentType);
        Assert.Equal("-1"u8.ToArray(), message.CorrelationData!.Value.ToArray());
        Assert.Equal(TimeSpan.FromSeconds(uint.MaxValue), message.TimeToLive);
        Assert.Equal(PayloadFormat.Utf8, message.PayloadFormat);
        Assert.Equal("re/ply", message.ResponseTopic);
        Assert.Equal((ushort)3, message.TopicAlias);
        Assert.Equal([new UserProperty("k", "v"), new UserProperty("k", "-D")], message.UserProperties);
    }

    [Fact]
    public void A_property_asks_for_MQTT_5_alone()
    {
        var settings = new PubSettings();
        settings.Read(["-t", "a", "-n", "-D", "publish", "user-property", "k", "v"]);

        Assert.Equal(MqttVersion.Mqtt5, settings.Version);
    }

    [Theory]
    [InlineData("no packet is called 'foo'", "foo", "content-type", "x")]
    [InlineData("no property is called 'foo'", "publish", "foo", "x")]
    [InlineData("content-type is not allowed for connect", "connect", "content-type", "x")]
    [InlineData("subscription-identifier is not allowed for publish", "publish", "subscription-identifier", "1")]
    [InlineData("authentication-method of connect is not supported yet", "connect", "authentication-method", "x")]
    [InlineData("user-property of unsubscribe is not supported yet", "unsubscribe", "user-property", "k", "v")]
    [InlineData("reason-string of puback is not supported yet", "puback", "reason-string", "x")]
    [InlineData("payload-format-indicator takes a whole number from 0 to 1, not '2'", "publish", "payload-format-indicator", "2")]
    [InlineData("topic-alias takes a whole number from 1 to 65535, not '0'", "publish", "topic-alias", "0")]
    [InlineData("message-expiry-interval takes a whole number from 0 to 4294967295, not '-1'", "publish", "message-expiry-interval", "-1")]
    [InlineData("subscription-identifier takes a whole number from 1 to 268435455, not '268435456'", "subscribe", "subscription-identifier", "268435456")]
    [InlineData("-D argument given but no packet specified")]
    [InlineData("-D argument given but no property name specified", "publish")]
    [InlineData("-D argument given but no value specified", "publish", "content-type")]
    [InlineData("-D argument given but no value specified", "publish", "user-property", "k")]
    [InlineData("content-type of publish was given twice", "publish", "content-type", "a", "-D", "publish", "content-type", "b")]
    public void What_is_wrong_with_a_property_is_said(string message, params string[] values)
    {
        var error = Assert.Throws<UsageException>(() => new PubSettings().Read(["-t", "a", "-m", "x", "-D", .. values]));

        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }
}
