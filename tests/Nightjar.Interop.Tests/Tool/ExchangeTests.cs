using System.Globalization;
using Nightjar.Interop.Tests.Mosquitto;
using Xunit;

namespace Nightjar.Interop.Tests.Tool;

/// <summary>The tool and Mosquitto's own programs, each at either end, in every version and at every QoS.</summary>
public sealed class ExchangeTests
{
    private static readonly string[] Versions = ["mqttv31", "mqttv311", "mqttv5"];

    public static TheoryData<string, string, string, int> Everything =>
        Combine(("nightjar", "mosquitto"), ("mosquitto", "nightjar"), ("nightjar", "nightjar"));

    [Theory]
    [MemberData(nameof(Everything))]
    public async Task Messages_arrive_in_order(string publisher, string subscriber, string version, int qos)
    {
        var level = qos.ToString(CultureInfo.InvariantCulture);
        await using var broker = await MosquittoBroker.StartAsync();
        await using var receiving = await CommandLineClient.Named(subscriber)
            .SubscribeAsync(broker, "listener", "-t", "a/#", "-v", "-C", "3", "-q", level, "-V", version);

        var sent = await CommandLineClient.Named(publisher)
            .PublishAsync(broker, ["-i", "talker", "-t", "a/b", "-l", "-q", level, "-V", version], "one\ntwo\nthree\n");
        var received = await receiving.ExitAsync();

        Assert.True(sent.Code == 0, sent.ToString());
        Assert.True(received.Code == 0, received.ToString());
        Assert.Equal("a/b one\na/b two\na/b three\n", received.Output);

        // The broker's own account: the version of both, and that no message was sent at another QoS than asked for.
        var protocol = version switch { "mqttv31" => "p1", "mqttv311" => "p2", _ => "p5" };
        Assert.Contains($"as talker ({protocol},", broker.Log, StringComparison.Ordinal);
        Assert.Contains($"as listener ({protocol},", broker.Log, StringComparison.Ordinal);
        Assert.Equal(3, Count(broker.Log, $"Received PUBLISH from talker (d0, q{qos},"));
        Assert.Equal(3, Count(broker.Log, $"Sending PUBLISH to listener (d0, q{qos},"));
    }

    [Theory]
    [InlineData("mqttv31")]
    [InlineData("mqttv311")]
    [InlineData("mqttv5")]
    public async Task An_empty_payload_and_bytes_that_are_no_text_arrive(string version)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var receiving = await CommandLineClient.Mosquitto
            .SubscribeAsync(broker, "listener", "-t", "a", "-F", "%l:%x", "-C", "2", "-q", "1", "-V", version);

        var empty = await CommandLineClient.Nightjar.PublishAsync(broker, ["-t", "a", "-n", "-q", "1", "-V", version]);
        var text = await CommandLineClient.Nightjar.PublishAsync(broker, ["-t", "a", "-m", "\u00fc\u20ac", "-q", "1", "-V", version]);
        var received = await receiving.ExitAsync();

        Assert.True(empty.Code == 0, empty.ToString());
        Assert.True(text.Code == 0, text.ToString());
        Assert.Equal("0:\n5:c3bce282ac\n", received.Output);
    }

    private static int Count(string log, string part) => log.Split('\n').Count(line => line.Contains(part, StringComparison.Ordinal));

    private static TheoryData<string, string, string, int> Combine(params (string Publisher, string Subscriber)[] pairs)
    {
        var data = new TheoryData<string, string, string, int>();
        foreach (var (publisher, subscriber) in pairs)
        {
            foreach (var version in Versions)
            {
                for (var qos = 0; qos <= 2; qos++)
                {
                    data.Add(publisher, subscriber, version, qos);
                }
            }
        }

        return data;
    }
}
