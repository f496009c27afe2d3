using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Tests.Connection;

/// <summary>What CONNACK said, and what it did not say.</summary>
public sealed class ServerCapabilitiesTests
{
    [Fact]
    public async Task What_is_not_said_is_null_while_its_default_is_in_effect()
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);

        var result = client.Status.Connection!;

        Assert.Equal(new ServerCapabilities(), result.Announced);
        Assert.Equal((QoS.ExactlyOnce, true, 65_535, 0), (result.MaximumQoS, result.RetainAvailable, result.ReceiveMaximum, result.TopicAliasMaximum));
    }

    [Fact]
    public async Task What_is_said_is_there_even_if_it_is_the_default()
    {
        await using var peer = InMemory.Peer();
        var said = new ConnAckPacket
        {
            SessionExpiryInterval = 7,
            ReceiveMaximum = 65_535,
            MaximumQoS = QoS.AtLeastOnce,
            RetainAvailable = true,
            MaximumPacketSize = 1000,
            AssignedClientIdentifier = "given",
            TopicAliasMaximum = 0,
            WildcardSubscriptionAvailable = true,
            SubscriptionIdentifiersAvailable = false,
            SharedSubscriptionAvailable = true,
            ServerKeepAlive = 33,
            ResponseInformation = "base",
            ServerReference = "other",
        };
        await using var client = await peer.ConnectAsync(InMemory.Options(peer), said);
        using var end = new AbortAtEnd(client);

        var announced = client.Status.Connection!.Announced;
        Assert.All(typeof(ServerCapabilities).GetProperties(), capability =>
        {
            // Enhanced authentication is the one thing that a server does not begin.
            var value = typeof(ConnAckPacket).GetProperty(capability.Name)!.GetValue(said);
            Assert.Equal(value, capability.GetValue(announced));
            Assert.Equal(capability.Name == nameof(ServerCapabilities.AuthenticationMethod), value is null);
        });
        await Assert.ThrowsAsync<MqttLimitException>(() => client.PublishAsync("t", "x", QoS.ExactlyOnce).Soon());
    }
}
