using System.Text;
using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Testing.Tests.Broker;

public sealed class BrokerConnectTests : IAsyncDisposable
{
    private readonly MqttTestBrokerOptions _options = new() { Listen = false };
    private readonly MqttTestBroker _broker;

    public BrokerConnectTests() => _broker = new MqttTestBroker(_options);

    public ValueTask DisposeAsync() => _broker.DisposeAsync();

    [Theory]
    [InlineData(MqttVersion.Mqtt31)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task A_client_of_any_version_connects_pings_and_leaves(MqttVersion version)
    {
        var client = await RawClient.ConnectAsync(_broker, "c", version);

        Assert.Equal(["c"], _broker.ConnectedClients);
        Assert.False(client.ConnAck.SessionPresent);
        await client.FenceAsync();
        await client.DisconnectAsync();
        await _broker.WaitForNoClientsAsync();

        Assert.Empty(_broker.Sessions);
    }

    [Fact]
    public async Task What_is_announced_follows_the_options()
    {
        _options.ReceiveMaximum = 7;
        _options.MaximumPacketSize = 1000;
        _options.MaximumQoS = QoS.AtLeastOnce;
        _options.RetainAvailable = false;
        _options.WildcardSubscriptionAvailable = false;
        _options.SharedSubscriptionAvailable = false;
        _options.SubscriptionIdentifiersAvailable = false;
        _options.TopicAliasMaximum = 3;
        _options.ServerKeepAlive = 40;
        _options.MaximumSessionExpiryInterval = 60;
        _options.ResponseInformation = "answers/";
        await using var client = await RawClient.ConnectAsync(
            _broker, new ConnectPacket { ClientId = "c", SessionExpiryInterval = 3600, RequestResponseInformation = true });
        var connAck = client.ConnAck;

        Assert.Equal(((ushort?)7, (uint?)1000u, (QoS?)QoS.AtLeastOnce), (connAck.ReceiveMaximum, connAck.MaximumPacketSize, connAck.MaximumQoS));
        Assert.Equal(
            (false, false, false, false),
            (connAck.RetainAvailable, connAck.WildcardSubscriptionAvailable, connAck.SharedSubscriptionAvailable, connAck.SubscriptionIdentifiersAvailable));
        Assert.Equal(((ushort?)3, (ushort?)40, (uint?)60u), (connAck.TopicAliasMaximum, connAck.ServerKeepAlive, connAck.SessionExpiryInterval));
        Assert.Equal("answers/", connAck.ResponseInformation);
    }

    [Fact]
    public async Task By_default_nothing_is_restricted()
    {
        await using var client = await RawClient.ConnectAsync(_broker);
        var connAck = client.ConnAck;

        Assert.Null(connAck.ReceiveMaximum);
        Assert.Null(connAck.MaximumQoS);
        Assert.Null(connAck.MaximumPacketSize);
        Assert.Null(connAck.RetainAvailable);
        Assert.Null(connAck.ServerKeepAlive);
        Assert.Null(connAck.AssignedClientIdentifier);
        Assert.Null(connAck.ResponseInformation);
    }

    [Fact(DisplayName = "[MQTT5-3.1.3-7] A client without an identifier is assigned one")]
    public async Task A_client_without_an_identifier_is_assigned_one()
    {
        await using var first = await RawClient.ConnectAsync(_broker, "");
        _options.AssignClientId = () => "mine";
        await using var second = await RawClient.ConnectAsync(_broker, "");
        await using var older = await RawClient.ConnectAsync(_broker, "", MqttVersion.Mqtt311);

        Assert.Equal("auto-1", first.ConnAck.AssignedClientIdentifier);
        Assert.Equal("mine", second.ConnAck.AssignedClientIdentifier);
        Assert.Contains("auto-1", _broker.ConnectedClients);
    }

    [Theory(DisplayName = "[MQTT311-3.1.3-8] Before 5.0 an empty identifier may be refused")]
    [InlineData(MqttVersion.Mqtt311, false)]
    [InlineData(MqttVersion.Mqtt31, true)]
    public async Task Before_5_an_empty_identifier_needs_a_clean_session(MqttVersion version, bool cleanStart)
    {
        // The writer refuses such packets, so the bytes are spelled out.
        byte[] name = version == MqttVersion.Mqtt31 ? [0, 6, .. "MQIsdp"u8] : [0, 4, .. "MQTT"u8];
        byte[] body = [.. name, (byte)version, (byte)(cleanStart ? 2 : 0), 0, 0, 0, 0];
        await using var peer = ScriptedPeer.Over(_broker.ConnectInMemory(), version: version);
        await peer.SendBytesAsync(new byte[] { 0x10, (byte)body.Length }.Concat(body).ToArray());

        await peer.ExpectBytesAsync(new byte[] { 0x20, 2, 0, 2 });
        await peer.ExpectClosedAsync();
    }

    [Theory]
    [InlineData(MqttVersion.Mqtt31)]
    [InlineData(MqttVersion.Mqtt311)]
    [InlineData(MqttVersion.Mqtt5)]
    public async Task Users_need_their_password(MqttVersion version)
    {
        _options.Users["ada"] = "secret";

        Assert.Equal(ReasonCode.BadUserNameOrPassword, (await RawClient.ConnectRefusedAsync(_broker, Login(null, null))).ReasonCode);
        Assert.Equal(ReasonCode.BadUserNameOrPassword, (await RawClient.ConnectRefusedAsync(_broker, Login("ada", "wrong"))).ReasonCode);
        Assert.Equal(ReasonCode.BadUserNameOrPassword, (await RawClient.ConnectRefusedAsync(_broker, Login("bob", "secret"))).ReasonCode);
        await using var client = await RawClient.ConnectAsync(_broker, Login("ada", "secret"));

        Assert.Equal(["c"], _broker.ConnectedClients);

        ConnectPacket Login(string? user, string? password) => new()
        {
            Version = version,
            ClientId = "c",
            CleanStart = true,
            UserName = user,
            Password = password is null ? (ReadOnlyMemory<byte>?)null : Encoding.UTF8.GetBytes(password),
        };
    }

    [Fact]
    public async Task A_callback_decides_and_sees_who_comes()
    {
        BrokerLogin? seen = null;
        _options.Authenticate = login =>
        {
            seen = login;
            return login.UserName == "ada" ? ReasonCode.Success : ReasonCode.Banned;
        };

        var refused = await RawClient.ConnectRefusedAsync(_broker, new ConnectPacket { ClientId = "c", UserName = "eve", Password = new byte[] { 1, 2 } });
        Assert.Equal(ReasonCode.Banned, refused.ReasonCode);
        Assert.Equal(("c", "eve", MqttVersion.Mqtt5), (seen!.ClientId, seen.UserName, seen.Version));
        Assert.Equal([1, 2], seen.Password?.ToArray());
        Assert.Equal("c Mqtt5 eve", seen.ToString());
        await using var client = await RawClient.ConnectAsync(_broker, new ConnectPacket { ClientId = "c", UserName = "ada" });

        Assert.Null(seen.Password);
    }

    [Fact]
    public async Task A_callback_that_throws_or_says_nonsense_refuses_and_says_why()
    {
        _options.Authenticate = _ => throw new InvalidOperationException("no database");
        var thrown = await RawClient.ConnectRefusedAsync(_broker, new ConnectPacket { ClientId = "c" });
        _options.Authenticate = _ => ReasonCode.SessionTakenOver;
        var nonsense = await RawClient.ConnectRefusedAsync(_broker, new ConnectPacket { ClientId = "c" });

        Assert.Equal(ReasonCode.ImplementationSpecificError, thrown.ReasonCode);
        Assert.Contains("no database", thrown.ReasonString, StringComparison.Ordinal);
        Assert.Equal(ReasonCode.ImplementationSpecificError, nonsense.ReasonCode);
    }

    [Fact]
    public async Task The_next_connect_is_refused_and_the_one_after_is_not()
    {
        _broker.RefuseNext(ReasonCode.ServerBusy, "come back later");
        _broker.RefuseNext(ReasonCode.ServerMoved);

        var first = await RawClient.ConnectRefusedAsync(_broker, new ConnectPacket { ClientId = "c" });
        var second = await RawClient.ConnectRefusedAsync(_broker, new ConnectPacket { Version = MqttVersion.Mqtt311, ClientId = "c" });
        await using var third = await RawClient.ConnectAsync(_broker);

        Assert.Equal((ReasonCode.ServerBusy, "come back later"), (first.ReasonCode, first.ReasonString));
        Assert.Equal(ReasonCode.ServerUnavailable, second.ReasonCode);
        Assert.Throws<ArgumentOutOfRangeException>(() => _broker.RefuseNext(ReasonCode.Success));
        Assert.Throws<ArgumentOutOfRangeException>(() => _broker.RefuseNext(ReasonCode.SessionTakenOver));
    }

    [Fact(DisplayName = "[MQTT311-3.1.2-2] A broker that does not know 5.0 refuses it in 3.1.1, with code 1")]
    public async Task A_newer_version_is_refused_in_the_newest_known()
    {
        _options.Versions.Remove(MqttVersion.Mqtt5);
        await using var peer = ScriptedPeer.Over(_broker.ConnectInMemory());

        await peer.SendAsync(new ConnectPacket { ClientId = "c" });

        await peer.ExpectBytesAsync(new byte[] { 0x20, 2, 0, 1 });
        await peer.ExpectClosedAsync();
        await using var client = await RawClient.ConnectAsync(_broker, "c", MqttVersion.Mqtt311);
    }

    [Fact]
    public async Task A_version_that_nobody_knows_is_refused()
    {
        await using var peer = ScriptedPeer.Over(_broker.ConnectInMemory());

        await peer.SendBytesAsync(new byte[] { 0x10, 14, 0, 4, 0x4D, 0x51, 0x54, 0x54, 6, 2, 0, 0, 0, 0, 1, 0x63 });

        Assert.Equal(ReasonCode.UnsupportedProtocolVersion, (await peer.ExpectAsync<ConnAckPacket>()).ReasonCode);
        await peer.ExpectClosedAsync();
    }

    [Fact(DisplayName = "[MQTT5-3.1.0-1] What does not start with CONNECT is closed")]
    public async Task The_first_packet_must_be_connect()
    {
        await using var peer = ScriptedPeer.Over(_broker.ConnectInMemory());

        await peer.SendAsync(default(PingReqPacket));

        await peer.ExpectClosedAsync();
    }

    [Fact(DisplayName = "[MQTT5-3.1.0-2] A second CONNECT is a protocol error")]
    public async Task A_second_connect_ends_the_connection()
    {
        await using var client = await RawClient.ConnectAsync(_broker);

        await client.Peer.SendAsync(new ConnectPacket { ClientId = "client" });

        Assert.Equal(ReasonCode.ProtocolError, (await client.Peer.ExpectAsync<DisconnectPacket>()).ReasonCode);
        await client.Peer.ExpectClosedAsync();
    }

    [Fact]
    public async Task A_malformed_packet_ends_the_connection_with_the_rule_it_breaks()
    {
        await using var client = await RawClient.ConnectAsync(_broker);
        await using var older = await RawClient.ConnectAsync(_broker, "older", MqttVersion.Mqtt311);
        byte[] qos3 = [0x36, 5, 0, 1, 0x61, 0, 1];

        await client.Peer.SendBytesAsync(qos3);
        await older.Peer.SendBytesAsync(qos3);

        var disconnect = await client.Peer.ExpectAsync<DisconnectPacket>();
        Assert.Equal(ReasonCode.MalformedPacket, disconnect.ReasonCode);
        Assert.Contains("MQTT5-3.3.1-4", disconnect.ReasonString, StringComparison.Ordinal);
        await client.Peer.ExpectClosedAsync();
        await older.Peer.ExpectClosedAsync();
    }

    [Fact]
    public async Task Enhanced_authentication_is_refused()
    {
        var refused = await RawClient.ConnectRefusedAsync(_broker, new ConnectPacket { ClientId = "c", AuthenticationMethod = "SCRAM-SHA-256" });

        Assert.Equal(ReasonCode.BadAuthenticationMethod, refused.ReasonCode);
    }

    [Fact]
    public async Task A_will_beyond_the_limits_is_refused()
    {
        _options.MaximumQoS = QoS.AtMostOnce;
        _options.RetainAvailable = false;

        var qos = await RawClient.ConnectRefusedAsync(
            _broker, new ConnectPacket { ClientId = "c", Will = new WillPacket { Topic = "w", QoS = QoS.AtLeastOnce } });
        var retain = await RawClient.ConnectRefusedAsync(
            _broker, new ConnectPacket { ClientId = "c", Will = new WillPacket { Topic = "w", Retain = true } });

        Assert.Equal(ReasonCode.QoSNotSupported, qos.ReasonCode);
        Assert.Equal(ReasonCode.RetainNotSupported, retain.ReasonCode);
    }

    [Fact]
    public async Task A_packet_that_comes_byte_by_byte_is_understood()
    {
        await using var network = new FaultyNetwork();
        network.ToServer.MaximumPiece = 1;
        await using var peer = ScriptedPeer.Over(network.Wrap(_broker.ConnectInMemory()));

        await peer.SendAsync(new ConnectPacket { ClientId = "slow", UserName = "somebody" });

        Assert.Equal(ReasonCode.Success, (await peer.ExpectAsync<ConnAckPacket>()).ReasonCode);
    }
}
