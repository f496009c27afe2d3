using System.Threading.Channels;
using Nightjar.Interop.Tests.Mosquitto;
using Xunit;

namespace Nightjar.Interop.Tests.Library;

public sealed class SubscriptionTests
{
    private readonly Channel<string> _called = Channel.CreateUnbounded<string>();

    [Theory]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task Wildcards_reach_the_right_handlers(MqttVersion version)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var client = new MqttClient(new MqttClientOptions(broker.Uri) { Version = version });
        await client.On("room/+/temperature", message => _called.Writer.TryWrite($"+ {message.Text}")).Granted;
        await client.On("house/#", message => _called.Writer.TryWrite($"# {message.Text}")).Granted;

        await client.PublishAsync("room/1/temperature", "1");
        await client.PublishAsync("room/1/humidity", "2");
        await client.PublishAsync("house", "3");
        await client.PublishAsync("house/a/b", "4");

        Assert.Equal(["# 3", "# 4", "+ 1"], (await ReadAsync(3)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Overlapping_filters_bring_each_message_once_to_each_subscription()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var client = new MqttClient(broker.Uri);
        foreach (var filter in new[] { "a/b", "a/+", "a/#", "$share/g/a/b" })
        {
            await client.On(filter, message => _called.Writer.TryWrite($"{filter} {message.Text}")).Granted;
        }

        for (var i = 0; i < 10; i++)
        {
            await client.PublishAsync("a/b", $"{i}");
        }

        var expected = new[] { "a/b", "a/+", "a/#", "$share/g/a/b" }.SelectMany(filter => Enumerable.Range(0, 10).Select(i => $"{filter} {i}"));
        Assert.Equal(expected.Order(StringComparer.Ordinal), (await ReadAsync(40)).Order(StringComparer.Ordinal));
        await client.PublishAsync("a/b", "last");
        Assert.All(await ReadAsync(4), call => Assert.EndsWith("last", call, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_second_subscription_gets_the_retained_message_and_so_does_who_asks_again()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var client = new MqttClient(broker.Uri);
        await client.PublishAsync("a", "kept", retain: true);
        var first = client.On("a", message => _called.Writer.TryWrite($"first {message.Text}"));
        await first.Granted;
        Assert.Equal(["first kept"], await ReadAsync(1));

        await client.On("a", message => _called.Writer.TryWrite($"second {message.Text}")).Granted;
        Assert.Equal(["second kept"], await ReadAsync(1));
        await first.ResubscribeAsync();
        Assert.Equal(["first kept"], await ReadAsync(1));
    }

    [Fact]
    public async Task A_shared_subscription_splits_the_work()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var one = new MqttClient(broker.Uri);
        await using var other = new MqttClient(broker.Uri);
        await one.On("$share/g/work", message => _called.Writer.TryWrite($"one {message.Text}")).Granted;
        await other.On("$share/g/work", message => _called.Writer.TryWrite($"other {message.Text}")).Granted;

        for (var i = 0; i < 100; i++)
        {
            await one.PublishAsync("work", $"{i}");
        }

        var calls = await ReadAsync(100);
        Assert.Equal(100, calls.Select(call => call.Split(' ')[1]).Distinct().Count());
        Assert.Equal(["one", "other"], calls.Select(call => call.Split(' ')[0]).Distinct().Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task Two_hundred_requests_at_once_get_their_own_answers(MqttVersion version)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var asking = new MqttClient(new MqttClientOptions(broker.Uri) { Version = version });
        await using var answering = new MqttClient(new MqttClientOptions(broker.Uri) { Version = version });
        await answering.Respond("work/+", request => $"{request.Topic} {request.Text}").Granted;

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => asking.RequestAsync($"work/{i % 7}", $"{i}")));

        Assert.Equal(Enumerable.Range(0, 200).Select(i => $"work/{i % 7} {i}"), answers.Select(answer => answer.Text));
    }

    [Fact]
    public async Task A_request_to_nobody_fails_at_once_and_one_without_an_answer_in_time()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var client = new MqttClient(broker.Uri);

        await Assert.ThrowsAsync<MqttNoResponderException>(() => client.RequestAsync("nobody", ""));
        await client.On("silent", _ => { }).Granted;
        await Assert.ThrowsAsync<MqttTimeoutException>(() => client.RequestAsync("silent", "", TimeSpan.FromMilliseconds(200)));
    }

    private async Task<List<string>> ReadAsync(int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var calls = new List<string>();
        while (calls.Count < count)
        {
            calls.Add(await _called.Reader.ReadAsync(patience.Token));
        }

        return calls;
    }
}
