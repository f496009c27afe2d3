using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Connection;

/// <summary>Received messages that are larger than is held.</summary>
public sealed class OversizedTests
{
    private const int Limit = 64 * 1024;

    [Theory]
    [InlineData(MqttVersion.Mqtt5)]
    [InlineData(MqttVersion.Mqtt311)]
    public async Task A_retained_message_that_is_too_large_is_skipped_and_the_connection_stays(MqttVersion version)
    {
        await using var broker = InMemory.Broker();
        await broker.PublishAsync(new OutgoingMessage("retained", new byte[1024 * 1024]) { Retain = true });
        var options = InMemory.Options(broker);
        options.Version = version;
        options.Receive.MaximumPacketSize = Limit;
        options.Receive.OversizedPackets = OversizedPackets.Skip;
        await using var client = new MqttClient(options);
        await using var events = new EventReader(client);
        var received = new TaskCompletionSource<string>();
        await client.On("#", message => received.TrySetResult($"{message.Topic} {message.Text}")).Granted.Soon();

        var skipped = await events.NextAsync<ClientEvent.MessageSkipped>();
        await broker.PublishAsync("small", "comes");

        Assert.Equal(("retained", QoS.AtLeastOnce, null), (skipped.Topic, skipped.QoS, skipped.Filter));
        Assert.InRange(skipped.Size, 1024 * 1024, (1024 * 1024) + 30);
        Assert.Equal("small comes", await received.Task.Soon());
        Assert.Equal(1, client.Status.SkippedMessages);
        Assert.DoesNotContain(events.Seen, e => e is ClientEvent.Disconnected);
    }

    [Fact]
    public async Task What_is_skipped_takes_one_chunk_however_large_it_is()
    {
        const int Size = 200_000_000;
        await using var peer = InMemory.Peer();
        await using var measured = new MeasuredStream(peer.ConnectInMemory());
        var options = InMemory.Options(() => measured);
        options.Receive.MaximumPacketSize = 1000;
        options.Receive.OversizedPackets = OversizedPackets.Skip;
        await using var client = await peer.ConnectAsync(options);
        using var end = new AbortAtEnd(client);
        client.On("t", _ => { });
        await peer.GrantAsync();
        var packet = PacketWriter.ToArray(new PublishPacket { Topic = "t"u8, Payload = new byte[Size], QoS = QoS.AtLeastOnce, PacketId = 7 }, MqttVersion.Mqtt5);

        for (var at = 0; at < packet.Length; at += 1_000_000)
        {
            await peer.SendBytesAsync(packet.AsMemory(at, Math.Min(1_000_000, packet.Length - at)));
        }

        Assert.Equal(ReasonCode.ImplementationSpecificError, (await peer.ExpectAckAsync(PacketType.PubAck, 7)).ReasonCode);

        // It grows from 4 KiB to 64 KiB, and each size is left behind.
        Assert.InRange(measured.Buffers.Size, 1, 4 * 64 * 1024);
        Assert.Equal(0, client.Status.ReceivePauses);
    }

    [Fact]
    public async Task A_server_that_sends_the_same_oversized_message_on_each_connection_is_reported_as_a_loop()
    {
        await using var broker = InMemory.Broker();
        await broker.PublishAsync(new OutgoingMessage("retained", new byte[1024 * 1024]) { Retain = true });
        var options = InMemory.Options(broker);
        options.Version = MqttVersion.Mqtt311;
        options.Receive.MaximumPacketSize = Limit;
        await using var client = new MqttClient(options);
        await using var events = new EventReader(client);
        client.On("#", _ => { });

        var loop = await events.NextAsync<ClientEvent.ReconnectLoop>();

        Assert.Equal(3, loop.Times);
        Assert.Equal(3, events.Seen.Count(e => e is ClientEvent.Connected));
        var error = Assert.IsType<MqttProtocolException>(loop.Error);
        Assert.Equal(ReasonCode.PacketTooLarge, error.ReasonCode);
        Assert.Contains("OversizedPackets", error.Message, StringComparison.Ordinal);
        Assert.False(error.IsTransient);
    }

    [Fact]
    public async Task A_large_packet_that_comes_in_small_pieces_is_not_copied_at_each_of_them()
    {
        const int Size = 1_000_000;
        await using var peer = InMemory.Peer();
        await using var measured = new MeasuredStream(peer.ConnectInMemory(capacity: 500));
        await using var client = await peer.ConnectAsync(InMemory.Options(() => measured));
        using var end = new AbortAtEnd(client);
        var received = new TaskCompletionSource<int>();
        client.On("t", message => received.TrySetResult(message.Payload.Length));
        await peer.GrantAsync();

        await peer.SendAsync(MqttMessage.Create("t", new byte[Size], QoS.AtMostOnce));

        // From 4 KiB, doubled until it fits; each is left for the next once.
        Assert.Equal(Size, await received.Task.Soon());
        Assert.InRange(measured.Buffers.Count, 1, 12);
    }
}
