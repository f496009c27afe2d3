using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Nightjar.Protocol.Packets;
using Nightjar.Tests.Transport;
using Xunit;

namespace Nightjar.Tests.Connection;

/// <summary>What went wrong can be told by type and code, without reading messages.</summary>
public sealed class TypedErrorTests
{
    /// <summary>The codes that a CONNACK of 5.0 may have (MQTT 5, 3.2.2.2).</summary>
    public static TheoryData<ReasonCode> ConnAckCodes { get; } = Codes("80 81 82 83 84 85 86 87 88 89 8A 8C 90 95 97 99 9A 9B 9C 9D 9F");

    /// <summary>The failures that a server's DISCONNECT may have (MQTT 5, 3.14.2.1).</summary>
    public static TheoryData<ReasonCode> DisconnectCodes { get; } = Codes("80 81 82 83 87 89 8B 8D 8E 8F 90 93 94 95 96 97 98 99 9A 9B 9C 9D 9E 9F A0 A1 A2");

    /// <summary>The failures of PUBACK and PUBREC (MQTT 5, 3.4.2.1).</summary>
    public static TheoryData<ReasonCode> PubAckCodes { get; } = Codes("80 83 87 90 91 97 99");

    /// <summary>The failures of SUBACK (MQTT 5, 3.9.3).</summary>
    public static TheoryData<ReasonCode> SubAckCodes { get; } = Codes("80 83 87 8F 91 97 9E A1 A2");

    [Fact]
    public async Task Refused_TCP_a_bad_certificate_a_refused_CONNECT_and_a_refused_SUBSCRIBE_are_four_errors()
    {
        using var bound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, port: 0));
        var tcp = await FailAsync(new MqttServer($"mqtt://127.0.0.1:{((IPEndPoint)bound.LocalEndPoint!).Port}"));

        using var authority = TestAuthority.CreateRoot("Test Authority");
        await using var stranger = new TlsPeer(authority.IssueServer(["localhost"]));
        var certificate = await FailAsync(new MqttServer($"mqtts://localhost:{stranger.Port}"));

        await using var broker = InMemory.Broker(options =>
        {
            options.Authenticate = login => login.ClientId == "nobody" ? ReasonCode.NotAuthorized : ReasonCode.Success;
            options.MaySubscribe = (_, _) => false;
        });
        var refused = await FailAsync(InMemory.Options(broker).Servers[0], "nobody");

        await using var client = new MqttClient(InMemory.Options(broker));
        var denied = await Assert.ThrowsAsync<MqttRefusedException>(() => client.Subscribe("t").Granted.Soon());

        Assert.Equal((ConnectStage.Tcp, SocketError.ConnectionRefused), (tcp.Stage, tcp.SocketError));
        Assert.Equal((ConnectStage.Tls, SslPolicyErrors.RemoteCertificateChainErrors), (certificate.Stage, certificate.CertificateErrors));
        Assert.IsType<AuthenticationException>(certificate.InnerException);
        Assert.Equal((ConnectStage.Connect, ReasonCode.NotAuthorized), (refused.Stage, refused.ReasonCode));
        Assert.True(denied.ReasonCode!.Value.IsFailure());
    }

    [Theory]
    [InlineData(1, ReasonCode.UnsupportedProtocolVersion, false)]
    [InlineData(2, ReasonCode.ClientIdentifierNotValid, false)]
    [InlineData(3, ReasonCode.ServerUnavailable, true)]
    [InlineData(4, ReasonCode.BadUserNameOrPassword, false)]
    [InlineData(5, ReasonCode.NotAuthorized, false)]
    public async Task The_codes_of_3_1_1_are_those_of_5_0(byte code, ReasonCode expected, bool transient)
    {
        await using var peer = InMemory.Peer();
        var options = SingleAttempt(InMemory.Options(peer));
        options.Version = MqttVersion.Mqtt311;
        await using var client = new MqttClient(options);
        var connecting = client.ConnectAsync();
        await peer.AcceptAsync();
        await peer.ExpectAsync<ConnectPacket>();
        await peer.SendBytesAsync(new byte[] { 0x20, 2, 0, code });

        var error = await Assert.ThrowsAsync<MqttConnectException>(() => connecting.Soon());

        Assert.Equal((ConnectStage.Connect, expected, transient), (error.Stage, error.ReasonCode, error.IsTransient));
    }

    [Theory]
    [MemberData(nameof(ConnAckCodes))]
    public async Task Each_refusal_of_CONNECT_has_its_code(ReasonCode code)
    {
        await using var peer = InMemory.Peer();
        var options = SingleAttempt(InMemory.Options(peer));
        options.AllowVersionFallback = false;
        await using var client = new MqttClient(options);
        var connecting = client.ConnectAsync();
        await peer.AcceptClientAsync(new ConnAckPacket { ReasonCode = code, ReasonString = "because", ServerReference = "other", UserProperties = [new("a", "b")] });

        var error = await Assert.ThrowsAsync<MqttConnectException>(() => connecting.Soon());

        Assert.Equal((ConnectStage.Connect, code, "because", "other"), (error.Stage, error.ReasonCode, error.ReasonString, error.ServerReference));
        Assert.Equal([new("a", "b")], error.UserProperties);
        Assert.Contains($"0x{(byte)code:X2}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(DisconnectCodes))]
    public async Task Each_DISCONNECT_has_its_code(ReasonCode code)
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        await peer.SendAsync(new DisconnectPacket { ReasonCode = code, ReasonString = "because" });

        var error = Assert.IsType<MqttDisconnectedException>((await events.NextAsync<ClientEvent.Disconnected>()).Error);

        Assert.Equal((code, "because"), (error.ReasonCode, error.ReasonString));
        Assert.Contains($"0x{(byte)code:X2}", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(PubAckCodes))]
    public async Task Each_refusal_of_a_message_has_its_code(ReasonCode code)
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var first = client.PublishAsync("t", "x");
        await peer.SendAsync(new AckPacket(PacketType.PubAck, (await peer.ExpectAsync<MqttMessage>()).PacketId, code));
        Assert.Equal(code, (await Assert.ThrowsAsync<MqttRefusedException>(() => first.Soon())).ReasonCode);

        var second = client.PublishAsync("t", "x", QoS.ExactlyOnce);
        await peer.SendAsync(new AckPacket(PacketType.PubRec, (await peer.ExpectAsync<MqttMessage>()).PacketId, code));
        Assert.Equal(code, (await Assert.ThrowsAsync<MqttRefusedException>(() => second.Soon())).ReasonCode);
    }

    [Theory]
    [MemberData(nameof(SubAckCodes))]
    public async Task Each_refusal_of_a_filter_has_its_code(ReasonCode code)
    {
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(InMemory.Options(peer));
        using var end = new AbortAtEnd(client);
        var subscription = client.Subscribe("t");
        await peer.SendAsync(new SubAckPacket { PacketId = (await peer.ExpectAsync<SubscribePacket>()).PacketId, ReasonCodes = [code] });

        Assert.Equal(code, (await Assert.ThrowsAsync<MqttRefusedException>(() => subscription.Granted.Soon())).ReasonCode);
    }

    [Fact]
    public void Together_these_are_all_failures_that_a_server_can_report()
    {
        ReasonCode[] shown = [.. ConnAckCodes, .. DisconnectCodes, .. PubAckCodes, .. SubAckCodes];

        // 0x92 is said of a PUBREL, and answered where it is; it never reaches a caller.
        Assert.Equal(
            Enum.GetValues<ReasonCode>().Where(code => code.IsFailure()).Except([ReasonCode.PacketIdentifierNotFound]).Order(),
            shown.Distinct().Order());
    }

    private static TheoryData<ReasonCode> Codes(string hex) => [.. hex.Split(' ').Select(code => (ReasonCode)Convert.ToByte(code, 16))];

    private static MqttClientOptions SingleAttempt(MqttClientOptions options)
    {
        options.Reconnect.FirstConnect = FirstConnect.SingleAttempt;
        return options;
    }

    private static async Task<MqttConnectException> FailAsync(MqttServer server, string? clientId = null)
    {
        await using var client = new MqttClient(SingleAttempt(new MqttClientOptions { Servers = { server }, ClientId = clientId }));
        return await Assert.ThrowsAsync<MqttConnectException>(() => client.ConnectAsync().Soon());
    }
}
