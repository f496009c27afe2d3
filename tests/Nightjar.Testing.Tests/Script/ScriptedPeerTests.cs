using System.Net.Sockets;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Testing.Tests.Script;

public sealed class ScriptedPeerTests
{
    [Fact]
    public async Task Packets_are_expected_and_sent_over_a_socket()
    {
        await using var peer = ScriptedPeer.Listen();
        using var socket = new TcpClient();
        await socket.ConnectAsync("127.0.0.1", peer.Port);
        var stream = socket.GetStream();

        await stream.WriteAsync(PacketWriter.ToArray(new ConnectPacket { ClientId = "c" }, MqttVersion.Mqtt5));
        var connect = await peer.ExpectAsync<ConnectPacket>();
        await peer.SendAsync(new ConnAckPacket());

        Assert.Equal("c", connect.ClientId);
        Assert.StartsWith("mqtt://127.0.0.1:", peer.Uri, StringComparison.Ordinal);
        Assert.Equal(PacketWriter.ToArray(new ConnAckPacket(), MqttVersion.Mqtt5), await ReadAsync(stream, 5));
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt31)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task Two_peers_talk_in_the_version_of_the_connect(MqttVersion version)
    {
        await using var server = new ScriptedPeer();
        await using var client = ScriptedPeer.Over(server.ConnectInMemory());

        await client.SendAsync(new ConnectPacket { Version = version, ClientId = "c" });
        Assert.Equal(version, (await server.ExpectAsync<ConnectPacket>()).Version);
        Assert.Equal(version, server.Version);
        await server.SendAsync(new ConnAckPacket());
        await client.ExpectAsync<ConnAckPacket>();
        await client.SendAsync(MqttMessage.Create("a/b", "x", QoS.ExactlyOnce));
        Assert.Equal("x", (await server.ExpectAsync<MqttMessage>()).Text);
        await server.SendAsync(new AckPacket(PacketType.PubRec, 1));
        await client.ExpectAckAsync(PacketType.PubRec, 1);
        await client.SendAsync(default(PingReqPacket));
        await server.ExpectAsync(PacketType.PingReq);

        Assert.Equal([PacketType.Connect, PacketType.Publish, PacketType.PingReq], server.Received.Select(packet => packet.Type));
    }

    [Fact]
    public async Task A_message_goes_over_the_wire_with_all_its_properties()
    {
        await using var server = new ScriptedPeer();
        await using var client = ScriptedPeer.Over(server.ConnectInMemory());
        var sent = MqttMessage.Create(
            "a/b",
            new byte[] { 1 },
            QoS.AtLeastOnce,
            retain: true,
            duplicate: true,
            packetId: 9,
            timeToLive: TimeSpan.FromSeconds(30),
            payloadFormat: PayloadFormat.Utf8,
            contentType: "t",
            responseTopic: "r",
            correlationData: new byte[] { 2 },
            userProperties: [new UserProperty("k", "v")]);

        await client.SendAsync(sent);
        var received = await server.ExpectAsync<MqttMessage>();

        Assert.Equal((sent.Topic, sent.QoS, sent.Retain, sent.Duplicate, sent.PacketId), (received.Topic, received.QoS, received.Retain, received.Duplicate, received.PacketId));
        Assert.Equal((sent.TimeToLive, sent.PayloadFormat, sent.ContentType, sent.ResponseTopic), (received.TimeToLive, received.PayloadFormat, received.ContentType, received.ResponseTopic));
        Assert.Equal([2], received.CorrelationData?.ToArray());
        Assert.Equal(sent.UserProperties, received.UserProperties);
        Assert.Equal("PUBLISH a/b QoS 1 1 B id 9, DUP, retained", server.Received[0].ToString());
    }

    [Fact]
    public async Task Another_packet_than_expected_is_named()
    {
        await using var server = new ScriptedPeer();
        await using var client = ScriptedPeer.Over(server.ConnectInMemory());
        await client.SendAsync(new SubscribePacket { PacketId = 3, Subscriptions = [new RequestedSubscription("a/#", QoS.AtLeastOnce)] });
        await client.SendAsync(new AckPacket(PacketType.PubAck, 4));
        await client.SendAsync(new AckPacket(PacketType.PubAck, 4));

        var wrongType = await Assert.ThrowsAsync<ScriptException>(() => server.ExpectAsync<ConnectPacket>());
        var wrongId = await Assert.ThrowsAsync<ScriptException>(() => server.ExpectAckAsync(PacketType.PubAck, 5));
        var wrongKind = await Assert.ThrowsAsync<ScriptException>(() => server.ExpectAsync(PacketType.PingReq));

        Assert.Equal("Expected ConnectPacket, received SUBSCRIBE id 3: a/# QoS 1.", wrongType.Message);
        Assert.Equal("Expected PUBACK id 5, received PUBACK id 4.", wrongId.Message);
        Assert.Equal("Expected PINGREQ, received PUBACK id 4.", wrongKind.Message);
    }

    [Fact]
    public async Task Bytes_that_differ_are_shown_with_their_position()
    {
        await using var server = new ScriptedPeer();
        await using var client = ScriptedPeer.Over(server.ConnectInMemory());
        await client.SendBytesAsync(new byte[] { 0xC0, 0x00, 0xC0, 0x01 });

        await server.ExpectBytesAsync(new byte[] { 0xC0, 0x00 });
        var failure = await Assert.ThrowsAsync<ScriptException>(() => server.ExpectBytesAsync(new byte[] { 0xC0, 0x00 }));

        Assert.Equal("The bytes differ at position 1.\nExpected C0 00\nReceived C0 01", failure.Message);
    }

    [Fact]
    public async Task Bytes_and_packets_may_alternate()
    {
        await using var server = new ScriptedPeer();
        await using var client = ScriptedPeer.Over(server.ConnectInMemory());

        await client.SendBytesAsync(new byte[] { 0xC0, 0x00, 0x40, 0x02, 0x00 });
        await server.ExpectAsync<PingReqPacket>();
        await client.SendBytesAsync(new byte[] { 0x07, 0xC0, 0x00 });
        await server.ExpectAckAsync(PacketType.PubAck, 7);
        await server.ExpectBytesAsync(new byte[] { 0xC0, 0x00 });

        Assert.Equal([0x40, 0x02, 0x00, 0x07], server.Received[1].Bytes.ToArray());
    }

    [Fact]
    public async Task Silence_fails_with_what_came_before()
    {
        await using var server = new ScriptedPeer { Patience = TimeSpan.FromMilliseconds(1) };
        await using var client = ScriptedPeer.Over(server.ConnectInMemory());
        await client.SendBytesAsync(new byte[] { 0xC0, 0x00, 0x40 });
        server.Patience = TimeSpan.FromSeconds(5);
        await server.ExpectAsync<PingReqPacket>();
        server.Patience = TimeSpan.FromMilliseconds(1);

        var packet = await Assert.ThrowsAsync<TimeoutException>(() => server.ExpectAckAsync(PacketType.PubAck, 1));
        await Assert.ThrowsAsync<TimeoutException>(() => server.ExpectClosedAsync());
        await Assert.ThrowsAsync<TimeoutException>(() => server.AcceptAsync());

        Assert.Contains("PUBACK id 1. Packets before: PINGREQ. Bytes not yet expected: 40.", packet.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_expectation_says_so()
    {
        await using var server = new ScriptedPeer();
        using var client = server.ConnectInMemory();
        using var cancel = new CancellationTokenSource();
        var expecting = server.ReceiveAsync(cancel.Token);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => expecting);
    }

    [Fact]
    public async Task The_end_of_the_connection_is_expected_or_reported()
    {
        await using var server = new ScriptedPeer();
        await using var client = ScriptedPeer.Over(server.ConnectInMemory());
        await client.SendAsync(default(PingReqPacket));
        await client.CompleteWritingAsync();

        var early = await Assert.ThrowsAsync<ScriptException>(() => server.ExpectClosedAsync());
        await server.ExpectClosedAsync();
        var late = await Assert.ThrowsAsync<ScriptException>(() => server.ExpectAsync<ConnectPacket>());

        Assert.Equal("Expected the connection to end, received PINGREQ.", early.Message);
        Assert.Contains("but the connection ended", late.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_packet_against_the_rules_is_reported_with_its_bytes()
    {
        await using var server = new ScriptedPeer();
        await using var client = ScriptedPeer.Over(server.ConnectInMemory());
        await client.SendBytesAsync(new byte[] { 0x36, 0x00 });

        var failure = await Assert.ThrowsAsync<ScriptException>(() => server.ReceiveAsync());

        Assert.Contains("broke a rule", failure.Message, StringComparison.Ordinal);
        Assert.Contains("36 00", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connections_are_accepted_one_after_another()
    {
        await using var server = new ScriptedPeer();
        await using var first = ScriptedPeer.Over(server.ConnectInMemory());
        await using var second = ScriptedPeer.Over(server.ConnectInMemory());
        await first.SendAsync(new ConnectPacket { ClientId = "first" });
        await second.SendAsync(new ConnectPacket { ClientId = "second" });

        Assert.Equal("first", (await server.ExpectAsync<ConnectPacket>()).ClientId);
        await server.CloseAsync();
        await first.ExpectClosedAsync();
        await server.AcceptAsync();

        Assert.Equal("second", (await server.ExpectAsync<ConnectPacket>()).ClientId);
        Assert.Equal(2, server.Received.Count);
    }

    [Fact]
    public async Task A_peer_without_a_listener_has_no_port()
    {
        await using var peer = new ScriptedPeer();

        Assert.Throws<InvalidOperationException>(() => peer.Port);
    }

    private static async Task<byte[]> ReadAsync(Stream stream, int count)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes);
        return bytes;
    }
}
