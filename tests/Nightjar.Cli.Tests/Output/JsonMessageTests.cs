using System.Text;
using System.Text.Json;
using Nightjar.Cli.Output;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Cli.Tests.Output;

/// <summary>The expected texts were printed by mosquitto_sub 2.0.11, but for the time, whose form is that of its man page.</summary>
public sealed class JsonMessageTests
{
    private const string Time = "\"tst\":\"2021-01-03T01:59:59.123456+0000\"";

    [Fact]
    public void A_message_without_properties() => Assert.Equal(
        $$"""{{{Time}},"topic":"a/b","qos":0,"retain":0,"payloadlen":2,"payload":"hi"}""",
        Printed.InFormat("%j", SampleMessages.Bare));

    [Fact]
    public void All_properties_and_the_packet_identifier() => Assert.Equal(
        $$"""{{{Time}},"topic":"a/b","qos":1,"retain":0,"payloadlen":5,"mid":1,"properties":{"subscription-identifier":7,"content-type":"text/plain","correlation-data":"corr","payload-format-indicator":1,"response-topic":"re/ply","user-properties":{"k1":"v1","k2":"v 2"},"message-expiry-interval":60},"payload":"hello"}""",
        Printed.InFormat("%j", SampleMessages.Full));

    [Fact]
    public void An_empty_payload_is_null()
    {
        Assert.EndsWith(""" "payloadlen":0,"mid":1,"payload":null}""".TrimStart(), Printed.InFormat("%j", SampleMessages.Empty), StringComparison.Ordinal);
        Assert.EndsWith(""" "payloadlen":0,"mid":1,"payload":null}""".TrimStart(), Printed.InFormat("%J", SampleMessages.Empty), StringComparison.Ordinal);
    }

    [Fact]
    public void A_user_property_may_repeat() => Assert.Contains(
        "\"user-properties\":{\"k1\":\"v1\",\"k1\":\"v\\\"2\"}",
        Printed.InFormat("%j", MqttMessage.Create("t", "x"u8.ToArray(), userProperties: [new("k1", "v1"), new("k1", "v\"2")])),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("\"quoted\" \\ /", "\"\\\"quoted\\\" \\\\ /\"")]
    [InlineData("\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"")]
    [InlineData("\u0001\u001f\u007f", "\"\\u0001\\u001f\u007f\"")]
    [InlineData("a\0b", "\"a\\u0000b\"")]
    public void Strings_are_escaped(string payload, string expected) => Assert.EndsWith(
        $"\"payload\":{expected}}}", Printed.InFormat("%j", MqttMessage.Create("t", payload)), StringComparison.Ordinal);

    [Fact]
    public void Bytes_that_are_no_text_leave_valid_JSON()
    {
        var json = Encoding.Latin1.GetBytes(Printed.InFormat("%j", SampleMessages.Binary));

        var payload = JsonDocument.Parse(json).RootElement.GetProperty("payload").GetString();

        Assert.Equal("\u0001\ufffd\ufffd\ufffdabc\u001b[31m", payload);
    }

    [Theory]
    [InlineData("1", "1")]
    [InlineData(" [1 , 2 ]", "[1,2]")]
    [InlineData("{\"a\":[1,{\"b\":null,\"c\":true}],\"d\":{},\"e\":[]}", "{\"a\":[1,{\"b\":null,\"c\":true}],\"d\":{},\"e\":[]}")]
    [InlineData("{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}")]
    [InlineData("\"\\u00e9\\ud83d\\ude00/\\/\"", "\"é😀//\"")]
    [InlineData("\"\\u0001\\n\\t\"", "\"\\u0001\\n\\t\"")]
    [InlineData("-0", "-0")]
    [InlineData("null", "null")]
    public void JSON_payloads_are_copied_compactly(string payload, string expected) =>
        Assert.EndsWith($"\"payload\":{Latin1(expected)}}}", Printed.InFormat("%J", MqttMessage.Create("t", payload)), StringComparison.Ordinal);

    [Theory]
    [InlineData("9007199254740993")]
    [InlineData("1.10")]
    [InlineData("1e400")]
    public void Numbers_keep_their_digits(string number) =>
        Assert.EndsWith($"\"payload\":{number}}}", Printed.InFormat("%J", MqttMessage.Create("t", number)), StringComparison.Ordinal);

    [Theory]
    [InlineData("nojson")]
    [InlineData("{\"a\":1}x")]
    [InlineData("[1,]")]
    [InlineData("NaN")]
    [InlineData("\"a\\x\"")]
    [InlineData("\"\\ud800\"")]
    public void A_payload_that_is_no_JSON_is_reported_and_leaves_its_line_empty(string payload)
    {
        var topics = new List<string>();

        var printed = Printed.With(
            new PrintOptions { Format = MessageFormat.Parse("%J") }, topics.Add, TimeZoneInfo.Utc, MqttMessage.Create("a/b", payload));

        Assert.Equal("\n", printed);
        Assert.Equal(["a/b"], topics);
    }

    [Fact]
    public void A_payload_nested_too_deep_is_no_JSON() =>
        Assert.Equal("|", Printed.InFormat("%J|", MqttMessage.Create("t", new string('[', 2000) + new string(']', 2000))));

    [Fact]
    public void Pretty_is_laid_out_with_tabs()
    {
        var options = new PrintOptions { Format = MessageFormat.Parse("%J"), Pretty = true, EndOfLine = false };

        var printed = Printed.With(options, MqttMessage.Create("a/b", "{\"a\":[1,{\"b\":null}],\"d\":{},\"e\":[]}", QoS.AtMostOnce));

        Assert.Equal(
            "{\n\t\"tst\":\t\"2021-01-03T01:59:59.123456+0000\",\n\t\"topic\":\t\"a/b\",\n\t\"qos\":\t0,\n\t\"retain\":\t0,\n\t\"payloadlen\":\t34,\n\t\"payload\":\t{\n"
            + "\t\t\"a\":\t[1, {\n\t\t\t\t\"b\":\tnull\n\t\t\t}],\n\t\t\"d\":\t{\n\t\t},\n\t\t\"e\":\t[]\n\t}\n}",
            printed);
    }

    [Fact]
    public void On_a_terminal_controls_that_JSON_lets_pass_are_escaped_too()
    {
        var printed = Printed.InFormat("%j", MqttMessage.Create("t", "\u007f\u009b\u202ené"), forTerminal: true);

        Assert.EndsWith(Latin1("\"payload\":\"\\u007f\\u009b\\u202ené\"}"), printed, StringComparison.Ordinal);
    }

    private static string Latin1(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));
}
