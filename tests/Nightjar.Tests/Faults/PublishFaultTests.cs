using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Tests.Faults;

/// <summary>What other clients were measured to do wrong when they publish, and this one must not.</summary>
public sealed class PublishFaultTests
{
    [Fact]
    public async Task Cancelling_a_publish_that_is_half_written_leaves_the_stream_whole()
    {
        const int Size = 30_000_000;
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        using var cancellation = new CancellationTokenSource();
        var payload = new byte[Size];
        new Random(1).NextBytes(payload);

        var large = client.PublishAsync("large", payload, cancellationToken: cancellation.Token).AsTask();

        // The peer takes the first bytes of the packet and stops reading: now it is on its way and cannot move.
        await peer.ExpectBytesAsync(new byte[] { 0x32 });
        await cancellation.CancelAsync();
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large.Soon());
        var next = client.PublishAsync("next", "whole").AsTask();
        var rest = new byte[Size + 14];
        payload.CopyTo(rest.AsMemory(^Size));

        // Remaining length 30,000,010: four bytes; the topic; packet identifier 1; no properties.
        ReadOnlySpan<byte> head = [0x8A, 0x87, 0xA7, 0x0E, 0, 5, (byte)'l', (byte)'a', (byte)'r', (byte)'g', (byte)'e', 0, 1, 0];
        head.CopyTo(rest);
        await peer.ExpectBytesAsync(rest);
        Assert.Equal("whole", (await peer.TakeAsync()).Text);
        Assert.Equal(ReasonCode.Success, (await next.Soon()).ReasonCode);
        Assert.Equal(cancellation.Token, error.CancellationToken);
        Assert.Equal(ClientState.Connected, client.State);
    }

    [Fact(DisplayName = "[MQTT5-4.9.0-2] No more messages are in flight than the server's Receive Maximum")]
    public async Task Receive_maximum_bounds_what_is_in_flight()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer), new ConnAckPacket { ReceiveMaximum = 2 });
        using var end = new AbortAtEnd(client);
        var publishes = Enumerable.Range(0, 50).Select(i => client.PublishAsync("t", $"{i}").AsTask()).ToArray();
        var inFlight = new Queue<ushort>();

        for (var i = 0; i < publishes.Length; i++)
        {
            if (inFlight.Count == 2)
            {
                // QoS 0 needs no quota: when the marker arrives and no message before it, none was sent that should not have been.
                await client.PublishAsync("marker", "", QoS.AtMostOnce);
                Assert.Equal("marker", (await peer.ExpectAsync<MqttMessage>()).Topic);
                await peer.SendAsync(new AckPacket(PacketType.PubAck, inFlight.Dequeue()));
            }

            var message = await peer.ExpectAsync<MqttMessage>();
            Assert.Equal($"{i}", message.Text);
            inFlight.Enqueue(message.PacketId);
        }

        foreach (var id in inFlight)
        {
            await peer.SendAsync(new AckPacket(PacketType.PubAck, id));
        }

        Assert.All(await Task.WhenAll(publishes).Soon(), result => Assert.Equal(ReasonCode.Success, result.ReasonCode));
    }

    [Fact(DisplayName = "[MQTT5-4.3.3-4] After a PUBREC that refuses, no PUBREL is sent and the publish fails")]
    public async Task A_refusing_pubrec_ends_the_publish()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var publish = client.PublishAsync("t", "x", QoS.ExactlyOnce).AsTask();

        var message = await peer.ExpectAsync<MqttMessage>();
        await peer.SendAsync(new AckPacket(PacketType.PubRec, message.PacketId, ReasonCode.NotAuthorized));
        var error = await Assert.ThrowsAsync<MqttRefusedException>(() => publish.Soon());
        await client.PublishAsync("marker", "", QoS.AtMostOnce);

        Assert.Equal(ReasonCode.NotAuthorized, error.ReasonCode);
        Assert.Contains("NotAuthorized (0x87)", error.Message, StringComparison.Ordinal);
        Assert.Equal("marker", (await peer.ExpectAsync<MqttMessage>()).Topic);
        Assert.Equal(0, client.Status.InFlight);
    }

    [Fact]
    public async Task Cancelling_a_publish_that_was_sent_ends_the_wait_and_nothing_else()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        await using var events = new EventReader(client);
        using var cancellation = new CancellationTokenSource();
        var publish = client.PublishAsync("t", "x", cancellationToken: cancellation.Token).AsTask();
        var message = await peer.ExpectAsync<MqttMessage>();

        await cancellation.CancelAsync();
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => publish.Soon());
        Assert.Equal(cancellation.Token, error.CancellationToken);
        Assert.Equal(1, client.Status.InFlight);

        // The late acknowledgement is welcome, an unknown one harmless.
        await peer.SendAsync(new AckPacket(PacketType.PubAck, message.PacketId));
        await peer.SendAsync(new AckPacket(PacketType.PubAck, 4711));
        var next = client.PublishAsync("t", "y").AsTask();
        await peer.TakeAsync();
        await next.Soon();

        Assert.Equal(0, client.Status.InFlight);
        Assert.Equal(ClientState.Connected, client.State);
        client.Abort();
        Assert.Single(await events.ToEndAsync(), e => e is ClientEvent.Disconnected);
    }
}
