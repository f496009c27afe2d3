using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Requests;

/// <summary>Both ends, over a broker in this process.</summary>
public sealed class RespondTests
{
    [Theory]
    [InlineData(MqttVersion.Mqtt5, MqttVersion.Mqtt5)]
    [InlineData(MqttVersion.Mqtt311, MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt31, MqttVersion.Mqtt31)]
    [InlineData(MqttVersion.Mqtt311, MqttVersion.Mqtt5)]
    public async Task A_request_is_answered(MqttVersion requester, MqttVersion responder)
    {
        await using var broker = InMemory.Broker();
        await using var asking = new MqttClient(Options(broker, requester));
        await using var answering = new MqttClient(Options(broker, responder));
        await answering.Respond("sum/+", request => $"{request.Topic}: {request.Text.Split('+').Sum(int.Parse)}").Granted.Soon();

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => asking.RequestAsync("sum/it", $"{i}+1"))).Soon();

        Assert.Equal(Enumerable.Range(0, 200).Select(i => $"sum/it: {i + 1}"), answers.Select(a => a.Text));
    }

    [Fact]
    public async Task A_5_0_requester_reaches_an_older_responder_by_topic()
    {
        await using var broker = InMemory.Broker();
        var options = Options(broker, MqttVersion.Mqtt5);
        options.Requests.CorrelateInTopic = true;
        await using var asking = new MqttClient(options);
        await using var answering = new MqttClient(Options(broker, MqttVersion.Mqtt311));
        await answering.Respond("a/#", request => request.Topic).Granted.Soon();

        Assert.Equal("a/b", (await asking.RequestAsync("a/b", "").Soon()).Text);
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt5)]
    [InlineData(MqttVersion.Mqtt311)]
    public async Task What_a_responder_throws_fails_the_request_and_keeps_its_secrets(MqttVersion version)
    {
        await using var broker = InMemory.Broker();
        await using var asking = new MqttClient(Options(broker, version));
        await using var answering = new MqttClient(Options(broker, version));
        await using var events = new EventReader(answering);
        await answering.Respond("t", MqttResponse (request) => throw (request.Text == "said" ? new MqttRemoteException("in its own words") : new InvalidOperationException("secret"))).Granted.Soon();

        Assert.Equal("in its own words", (await Assert.ThrowsAsync<MqttRemoteException>(() => asking.RequestAsync("t", "said").Soon())).Message);
        var error = await Assert.ThrowsAsync<MqttRemoteException>(() => asking.RequestAsync("t", "threw").Soon());

        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        Assert.Equal("secret", (await events.NextAsync<ClientEvent.HandlerFailed>()).Error.Message);
    }

    [Fact]
    public async Task An_answer_has_the_properties_that_it_was_given()
    {
        await using var broker = InMemory.Broker();
        await using var asking = new MqttClient(Options(broker, MqttVersion.Mqtt5));
        await using var answering = new MqttClient(Options(broker, MqttVersion.Mqtt5));
        await answering.Respond("t", async (request, _) =>
        {
            await Task.Yield();
            return new MqttResponse("[]") { ContentType = "application/json", PayloadFormat = PayloadFormat.Utf8, UserProperties = [new UserProperty("n", "v")] };
        }).Granted.Soon();

        var answer = await asking.RequestAsync("t", "").Soon();

        Assert.Equal(("[]", "application/json", PayloadFormat.Utf8), (answer.Text, answer.ContentType, answer.PayloadFormat!.Value));
        Assert.Equal([new UserProperty("n", "v")], answer.UserProperties);
        Assert.Equal(QoS.AtMostOnce, answer.QoS);
    }

    [Fact]
    public async Task To_a_message_that_asks_for_no_answer_none_is_sent()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(Options(broker, MqttVersion.Mqtt5));
        var heard = new TaskCompletionSource<string>();
        await client.Respond("t", request =>
        {
            heard.TrySetResult(request.Text);
            return "ignored";
        }).Granted.Soon();

        await client.PublishAsync("t", "plain").Soon();

        Assert.Equal("plain", await heard.Task.Soon());
    }

    [Fact]
    public async Task A_handler_may_ask_while_it_answers()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(Options(broker, MqttVersion.Mqtt5));
        await client.Respond("inner", _ => "inner").Granted.Soon();
        await client.Respond("outer", async (_, ct) => $"outer of {(await client.RequestAsync("inner", "", cancellationToken: ct)).Text}").Granted.Soon();

        Assert.Equal("outer of inner", (await client.RequestAsync("outer", "").Soon()).Text);
    }

    private static MqttClientOptions Options(MqttTestBroker broker, MqttVersion version)
    {
        var options = InMemory.Options(broker);
        options.Version = version;
        return options;
    }
}
