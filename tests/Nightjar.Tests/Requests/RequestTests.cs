using System.Text;
using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Requests;

/// <summary>Requests, seen from the server.</summary>
public sealed class RequestTests
{
    [Fact]
    public async Task The_response_topic_is_granted_before_the_request_leaves()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Options(peer));
        using var end = new AbortAtEnd(client);

        var answer = client.RequestAsync("work", "2 + 2", TimeSpan.FromSeconds(9.5));
        var subscribe = await peer.ExpectAsync<SubscribePacket>();
        Assert.Equal([new RequestedSubscription("nightjar/response/me", QoS.AtMostOnce) { RetainHandling = RetainHandling.DoNotSend }], subscribe.Subscriptions);
        await client.PublishAsync("marker", "", QoS.AtMostOnce);
        Assert.Equal("marker", (await peer.ExpectAsync<MqttMessage>()).Topic);
        await peer.SendAsync(new SubAckPacket { PacketId = subscribe.PacketId, ReasonCodes = [ReasonCode.Success] });

        var request = await peer.TakeAsync();
        Assert.Equal(("work", "2 + 2", QoS.AtLeastOnce), (request.Topic, request.Text, request.QoS));
        Assert.Equal(("nightjar/response/me", TimeSpan.FromSeconds(10)), (request.ResponseTopic, request.TimeToLive));
        await AnswerAsync(peer, request, "4");
        Assert.Equal("4", (await answer.Soon()).Text);
        Assert.Equal(0, client.Status.PendingRequests);
    }

    [Fact]
    public async Task Two_hundred_at_once_share_one_subscription_and_each_gets_its_own_answer()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Options(peer));
        using var end = new AbortAtEnd(client);
        var answers = Enumerable.Range(0, 200).Select(i => client.RequestAsync("work", $"{i}")).ToList();
        await peer.GrantAsync();
        var requests = new List<MqttMessage>();
        while (requests.Count < 200)
        {
            requests.Add(await peer.TakeAsync());
        }

        var shuffled = requests.ToArray();
        new Random(1).Shuffle(shuffled);
        foreach (var request in shuffled)
        {
            await AnswerAsync(peer, request, $"answer to {request.Text}");
        }

        for (var i = 0; i < 200; i++)
        {
            Assert.Equal($"answer to {i}", (await answers[i].Soon()).Text);
        }
    }

    [Fact]
    public async Task In_3_1_1_the_topic_carries_the_correlation_and_the_payload_nothing()
    {
        await using var peer = InMemory.Peer();
        peer.Version = MqttVersion.Mqtt311;
        var options = Options(peer);
        options.Version = MqttVersion.Mqtt311;
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);

        var answer = client.RequestAsync("work", "2 + 2");
        var failure = client.RequestAsync("work", "2 / 0");
        Assert.Equal("nightjar/response/me/#", Assert.Single((await peer.GrantAsync()).Subscriptions).Filter);
        foreach (var request in new[] { await peer.TakeAsync(), await peer.TakeAsync() })
        {
            Assert.Matches("^work/nj-request/me/[0-9a-f]{16}$", request.Topic);
            var responseTopic = $"nightjar/response/me/{request.Topic[^16..]}";
            await (request.Text == "2 + 2"
                ? peer.SendAsync(MqttMessage.Create(responseTopic, "4", QoS.AtMostOnce))
                : peer.SendAsync(MqttMessage.Create($"{responseTopic}/error", "by zero", QoS.AtMostOnce)));
        }

        Assert.Equal("4", (await answer.Soon()).Text);
        Assert.Equal("by zero", (await Assert.ThrowsAsync<MqttRemoteException>(() => failure.Soon())).Message);
    }

    [Fact]
    public async Task Without_an_answer_in_time_it_times_out_and_a_late_one_is_counted()
    {
        var time = new ManualTimeProvider();
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Options(peer, time));
        using var end = new AbortAtEnd(client);
        var answer = client.RequestAsync("work", "", TimeSpan.FromSeconds(5));
        await peer.GrantAsync();
        var request = await peer.TakeAsync();

        time.Advance(TimeSpan.FromSeconds(4));
        Assert.False(answer.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(1.1));
        await Assert.ThrowsAsync<MqttTimeoutException>(() => answer.Soon());

        await AnswerAsync(peer, request, "late");
        var next = client.RequestAsync("work", "");
        await AnswerAsync(peer, await peer.TakeAsync(), "in time");
        Assert.Equal("in time", (await next.Soon()).Text);
        Assert.Equal((0, 1L), (client.Status.PendingRequests, client.Status.LateResponses));
    }

    [Fact]
    public async Task A_time_out_of_range_is_refused_before_anything_happens()
    {
        await using var peer = InMemory.Peer();
        await using var client = new MqttClient(Options(peer, new ManualTimeProvider()));

        foreach (var timeout in new[] { TimeSpan.Zero, TimeSpan.FromDays(50), TimeSpan.MaxValue })
        {
            await Assert.ThrowsAsync<ArgumentOutOfRangeException>("timeout", () => client.RequestAsync("work", "", timeout).Soon());
        }

        Assert.Equal((ClientState.Idle, 0), (client.State, client.Status.PendingRequests));
    }

    [Fact]
    public async Task A_request_that_was_not_sent_in_time_is_withdrawn()
    {
        var time = new ManualTimeProvider();
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Options(peer, time), new ConnAckPacket { ReceiveMaximum = 1 });
        using var end = new AbortAtEnd(client);
        var blocking = client.PublishAsync("first", "").AsTask();
        var first = await peer.ExpectAsync<MqttMessage>();
        var answer = client.RequestAsync("work", "", TimeSpan.FromSeconds(5));
        await peer.GrantAsync();
        await WaitUntil(() => client.Status.Queued == 1);

        time.Advance(TimeSpan.FromSeconds(5.1));
        await Assert.ThrowsAsync<MqttTimeoutException>(() => answer.Soon());
        await WaitUntil(() => client.Status.Queued == 0);

        await peer.SendAsync(new AckPacket(PacketType.PubAck, first.PacketId));
        await blocking.Soon();
        await client.PublishAsync("marker", "", QoS.AtMostOnce);
        Assert.Equal("marker", (await peer.ExpectAsync<MqttMessage>()).Topic);
    }

    [Fact]
    public async Task Cancelling_ends_the_wait_and_leaves_nothing_behind()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Options(peer));
        using var end = new AbortAtEnd(client);
        using var cancel = new CancellationTokenSource();
        var answer = client.RequestAsync("work", "", cancellationToken: cancel.Token);
        await peer.GrantAsync();
        var request = await peer.TakeAsync();

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer.Soon());
        Assert.Equal(0, client.Status.PendingRequests);
        await AnswerAsync(peer, request, "late");
        await WaitUntil(() => client.Status.LateResponses == 1);
    }

    [Fact]
    public async Task Nobody_listening_fails_at_once()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Options(peer));
        using var end = new AbortAtEnd(client);
        var answer = client.RequestAsync("work", "");
        await peer.GrantAsync();
        var request = await peer.ExpectAsync<MqttMessage>();

        await peer.SendAsync(new AckPacket(PacketType.PubAck, request.PacketId, ReasonCode.NoMatchingSubscribers));

        var error = await Assert.ThrowsAsync<MqttNoResponderException>(() => answer.Soon());
        Assert.Equal(ReasonCode.NoMatchingSubscribers, error.ReasonCode);
        Assert.Equal(0, client.Status.PendingRequests);
    }

    [Fact]
    public async Task A_refused_response_topic_fails_all_who_wait_and_is_asked_for_again_by_the_next()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Options(peer));
        using var end = new AbortAtEnd(client);
        var answers = Enumerable.Range(0, 20).Select(_ => client.RequestAsync("work", "")).ToList();
        var subscribe = await peer.ExpectAsync<SubscribePacket>();

        await peer.SendAsync(new SubAckPacket { PacketId = subscribe.PacketId, ReasonCodes = [ReasonCode.NotAuthorized] });

        foreach (var answer in answers)
        {
            Assert.Equal(ReasonCode.NotAuthorized, (await Assert.ThrowsAsync<MqttRefusedException>(() => answer.Soon())).ReasonCode);
        }

        var next = client.RequestAsync("work", "");
        await peer.GrantAsync();
        await AnswerAsync(peer, await peer.TakeAsync(), "ok");
        Assert.Equal("ok", (await next.Soon()).Text);
    }

    [Fact]
    public async Task After_a_lost_session_the_response_topic_is_granted_again_first()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Options(peer));
        using var end = new AbortAtEnd(client);
        var first = client.RequestAsync("work", "1");
        await peer.GrantAsync();
        await AnswerAsync(peer, await peer.TakeAsync(), "one");
        await first.Soon();
        await peer.CloseAsync();
        await peer.AcceptClientAsync(new ConnAckPacket { SessionPresent = false });
        var subscribe = await peer.ExpectAsync<SubscribePacket>();

        await client.WhenConnectedAsync().Soon();
        var second = client.RequestAsync("work", "2");
        await client.PublishAsync("marker", "", QoS.AtMostOnce);
        Assert.Equal("marker", (await peer.ExpectAsync<MqttMessage>()).Topic);
        await peer.SendAsync(new SubAckPacket { PacketId = subscribe.PacketId, ReasonCodes = [ReasonCode.Success] });
        await AnswerAsync(peer, await peer.TakeAsync(), "two");

        Assert.Equal("two", (await second.Soon()).Text);
    }

    [Fact]
    public async Task The_servers_response_information_is_asked_for_and_used()
    {
        await using var peer = InMemory.Peer();
        await using var client = new MqttClient(Options(peer));
        using var end = new AbortAtEnd(client);
        var answer = client.RequestAsync("work", "");
        var connect = await peer.AcceptClientAsync(new ConnAckPacket { ResponseInformation = "replies/7/" });
        Assert.True(connect.RequestResponseInformation);

        Assert.Equal("replies/7/me", Assert.Single((await peer.GrantAsync()).Subscriptions).Filter);
        var request = await peer.TakeAsync();
        Assert.Equal("replies/7/me", request.ResponseTopic);
        await AnswerAsync(peer, request, "ok");
        await answer.Soon();
    }

    [Fact]
    public async Task More_than_may_wait_are_refused()
    {
        await using var peer = InMemory.Peer();
        var options = Options(peer);
        options.Requests.MaximumPending = 2;
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        Task[] waiting = [client.RequestAsync("work", "1"), client.RequestAsync("work", "2")];

        var error = await Assert.ThrowsAsync<MqttLimitException>(() => client.RequestAsync("work", "3"));

        Assert.Contains("MaximumPending", error.Message, StringComparison.Ordinal);
        client.Abort();
        await Assert.ThrowsAnyAsync<MqttException>(() => Task.WhenAll(waiting).Soon());
    }

    [Fact]
    public async Task Disposing_the_client_ends_every_wait()
    {
        await using var peer = InMemory.Peer();
        var client = await peer.ConnectAsync(Options(peer));
        var answers = Enumerable.Range(0, 50).Select(_ => client.RequestAsync("work", "", Timeout.InfiniteTimeSpan)).ToList();
        await peer.GrantAsync();
        for (var i = 0; i < 50; i++)
        {
            await peer.TakeAsync();
        }

        client.Abort();

        foreach (var answer in answers)
        {
            await Assert.ThrowsAsync<MqttDisconnectedException>(() => answer.Soon());
        }

        Assert.Equal(0, client.Status.PendingRequests);
    }

    [Fact]
    public async Task A_client_that_cannot_connect_says_so()
    {
        var options = InMemory.Options(() => throw new IOException("no route"));
        options.ConnectTimeout = TimeSpan.FromMilliseconds(50);
        await using var client = new MqttClient(options);

        await Assert.ThrowsAsync<MqttConnectException>(() => client.RequestAsync("work", "").Soon());
    }

    [Fact]
    public async Task What_the_client_chooses_itself_may_not_be_given()
    {
        await using var client = new MqttClient("mqtt://localhost");

        await Assert.ThrowsAsync<ArgumentException>(() => client.RequestAsync(new OutgoingMessage("t", "") { ResponseTopic = "mine" }));
        await Assert.ThrowsAsync<ArgumentException>(() => client.RequestAsync(new OutgoingMessage("t", "") { Retain = true }));
        await Assert.ThrowsAsync<ArgumentException>(() => client.RequestAsync("a/+", ""));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => client.RequestAsync("t", "", TimeSpan.Zero));
    }

    private static MqttClientOptions Options(ScriptedPeer peer, TimeProvider? time = null)
    {
        var options = InMemory.Options(peer, time);
        options.ClientId = "me";
        return options;
    }

    private static Task AnswerAsync(ScriptedPeer peer, MqttMessage request, string text) =>
        peer.SendAsync(MqttMessage.Create(request.ResponseTopic!, Encoding.UTF8.GetBytes(text).AsMemory(), QoS.AtMostOnce, correlationData: request.CorrelationData));

    private static async Task WaitUntil(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(Deadline.Patience);
        while (!condition())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
