using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Nightjar.Transport;
using Xunit;

namespace Nightjar.Tests.Transport;

public sealed class TlsTransportTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly TestAuthority _authority = TestAuthority.CreateRoot("Test Authority");
    private readonly TestAuthority _stranger = TestAuthority.CreateRoot("Stranger Authority");
    private readonly List<ConnectStage> _stages = [];
    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("nightjar-");

    public void Dispose()
    {
        _authority.Dispose();
        _stranger.Dispose();
        _files.Delete(recursive: true);
    }

    [Fact]
    public async Task An_authority_from_a_file_is_trusted()
    {
        await using var peer = new TlsPeer(_authority.IssueServer(["localhost"]));
        var server = ServerOf(peer);
        server.Tls.CaFile = FileWith($"{_stranger.Pem}\n{_authority.Pem}\n");

        await using var stream = await EchoAsync(server);

        Assert.Equal([ConnectStage.Dns, ConnectStage.Tcp, ConnectStage.Tls], _stages);
        Assert.True(Assert.IsType<TlsStream>(stream).SslProtocol >= SslProtocols.Tls12);
    }

    [Fact]
    public async Task An_authority_in_memory_is_trusted_and_stays_the_callers()
    {
        await using var peer = new TlsPeer(_authority.IssueServer(["localhost"]));

        await using (await EchoAsync(Trusting(peer)))
        {
        }

        Assert.Equal("CN=Test Authority", _authority.Certificate.Subject); // a disposed one would throw
    }

    [Fact]
    public async Task A_self_signed_certificate_is_trusted_if_it_is_the_authority()
    {
        using var certificate = TestAuthority.SelfSigned("localhost");
        await using var peer = new TlsPeer(certificate);
        var server = ServerOf(peer);
        server.Tls.CaFile = FileWith(certificate.ExportCertificatePem());

        await using var stream = await EchoAsync(server);

        Assert.True(stream.CanRead);
    }

    [Fact]
    public async Task A_chain_sent_by_the_server_is_followed()
    {
        using var intermediate = _authority.CreateIntermediate("Intermediate");
        using var certificate = intermediate.IssueServer(["localhost"]);
        await using var peer = new TlsPeer(certificate, options => options.ServerCertificateContext =
            SslStreamCertificateContext.Create(certificate, [intermediate.Certificate], offline: true));

        await using var stream = await EchoAsync(Trusting(peer));

        Assert.True(stream.CanRead);
    }

    [Fact]
    public async Task A_chain_with_a_gap_is_refused()
    {
        using var intermediate = _authority.CreateIntermediate("Intermediate");
        await using var peer = new TlsPeer(intermediate.IssueServer(["localhost"]));

        var exception = await RefusesAsync(Trusting(peer));

        Assert.Contains("was issued by 'Intermediate', which is neither trusted nor sent", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_authority_is_refused()
    {
        await using var peer = new TlsPeer(_stranger.IssueServer(["localhost"]));

        var exception = await RefusesAsync(Trusting(peer));

        Assert.Contains("TlsOptions.CaFile", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Stranger Authority", exception.Message, StringComparison.Ordinal);
        Assert.IsType<AuthenticationException>(exception.InnerException);
    }

    [Fact]
    public async Task Without_authorities_the_systems_decide()
    {
        await using var peer = new TlsPeer(_authority.IssueServer(["localhost"]));

        var exception = await RefusesAsync(ServerOf(peer));

        Assert.Contains("TlsOptions.CaFile", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_for_another_host_is_refused_and_its_names_are_told()
    {
        await using var peer = new TlsPeer(_authority.IssueServer(["broker.example", "*.sensors.example", "192.0.2.7"]));

        var exception = await RefusesAsync(Trusting(peer));

        Assert.Contains("is for 'broker.example', '*.sensors.example', '192.0.2.7', not for 'localhost'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_with_very_many_names_does_not_fill_the_screen()
    {
        await using var peer = new TlsPeer(_authority.IssueServer([.. Enumerable.Range(0, 50).Select(i => $"host{i}.example")]));

        var exception = await RefusesAsync(Trusting(peer));

        Assert.Contains("'host7.example' and more, not for", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Control_characters_of_a_certificate_reach_no_terminal()
    {
        using var hostile = TestAuthority.CreateRoot("evil\u001b[31m\n");
        await using var peer = new TlsPeer(hostile.IssueServer(["localhost"]));

        var exception = await RefusesAsync(Trusting(peer));

        Assert.Contains("evil?[31m?", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_name_may_be_allowed_and_the_chain_is_still_checked()
    {
        await using var peer = new TlsPeer(_authority.IssueServer(["broker.example"]));
        await using var strange = new TlsPeer(_stranger.IssueServer(["broker.example"]));
        var lenient = Trusting(peer);
        lenient.Tls.AllowNameMismatch = true;
        var deceived = Trusting(strange);
        deceived.Tls.AllowNameMismatch = true;

        await using var stream = await EchoAsync(lenient);
        var exception = await RefusesAsync(deceived);

        Assert.DoesNotContain("is for 'broker.example'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("TlsOptions.CaFile", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_target_host_replaces_the_host()
    {
        await using var peer = new TlsPeer(_authority.IssueServer(["broker.example"]));
        var server = Trusting(peer);
        server.Tls.TargetHost = "broker.example";

        await using var stream = await EchoAsync(server);

        Assert.Equal("broker.example", ((SslStream)stream).TargetHostName);
    }

    [Fact]
    public async Task An_address_may_be_the_name()
    {
        await using var peer = new TlsPeer(_authority.IssueServer(["127.0.0.1"]));
        await using var other = new TlsPeer(_authority.IssueServer(["127.0.0.2"]));

        await using var stream = await EchoAsync(Trusting(peer, "127.0.0.1"));
        var exception = await RefusesAsync(Trusting(other, "127.0.0.1"));

        Assert.Contains("is for '127.0.0.2', not for '127.0.0.1'", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-20, -10)]
    [InlineData(10, 20)]
    public async Task A_certificate_out_of_its_time_is_refused(int fromDay, int toDay)
    {
        using var certificate = _authority.IssueServer(["localhost"], fromDay, toDay);
        await using var peer = new TlsPeer(certificate);

        var exception = await RefusesAsync(Trusting(peer));

        Assert.Contains($"'localhost' is valid only from {certificate.NotBefore.ToUniversalTime():yyyy-MM-dd HH:mm} UTC to ", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_is_not_for_servers_is_refused()
    {
        await using var peer = new TlsPeer(_authority.IssueClient("localhost"));

        var exception = await RefusesAsync(Trusting(peer));

        Assert.Contains("not made for servers", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Anything_may_be_allowed()
    {
        await using var peer = new TlsPeer(_stranger.IssueServer(["broker.example"], fromDay: -20, toDay: -10));
        var server = Trusting(peer);
        server.Tls.AllowUntrusted = true;

        await using var stream = await EchoAsync(server);

        Assert.True(stream.CanRead);
    }

    [Fact]
    public async Task Application_protocols_are_offered_in_order()
    {
        await using var peer = new TlsPeer(
            _authority.IssueServer(["localhost"]), options => options.ApplicationProtocols = [new("mqtt"), new("x-amzn-mqtt-ca")]);
        var server = Trusting(peer);
        server.Tls.ApplicationProtocols.Add("unknown");
        server.Tls.ApplicationProtocols.Add("mqtt");

        await using var stream = await EchoAsync(server);

        Assert.Equal(new SslApplicationProtocol("mqtt"), ((SslStream)stream).NegotiatedApplicationProtocol);
        Assert.Equal(new SslApplicationProtocol("mqtt"), peer.Protocol);
    }

    [Fact]
    public async Task A_refused_handshake_is_final()
    {
        await using var peer = new TlsPeer(_authority.IssueServer(["localhost"]), options => options.ApplicationProtocols = [new("http/1.1")]);
        var server = Trusting(peer);
        server.Tls.ApplicationProtocols.Add("mqtt");

        var exception = await RefusesAsync(server);

        Assert.Contains("the TLS handshake failed", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_version_may_be_chosen()
    {
        await using var peer = new TlsPeer(_authority.IssueServer(["localhost"]));
        var server = Trusting(peer);
        server.Tls.Protocols = SslProtocols.Tls12;

        await using var stream = await EchoAsync(server);

        Assert.Equal(SslProtocols.Tls12, ((SslStream)stream).SslProtocol);
    }

    [Fact]
    public void A_version_below_1_2_is_refused_even_if_the_system_speaks_it()
    {
        var server = new MqttServer("mqtts://localhost");
        TlsTransport.ThrowIfOld(server, SslProtocols.Tls12);
        TlsTransport.ThrowIfOld(server, SslProtocols.Tls13);

#pragma warning disable CA5397, SYSLIB0039 // the old version is what must be refused
        var exception = Assert.Throws<MqttConnectException>(() => TlsTransport.ThrowIfOld(server, SslProtocols.Tls11));
#pragma warning restore CA5397, SYSLIB0039

        Assert.False(exception.IsTransient);
    }

    [Fact]
    public async Task A_server_that_speaks_no_TLS_is_explained()
    {
        var server = ServerThatAnswers("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray());

        var exception = await RefusesAsync(server);

        Assert.Contains("perhaps this port speaks no TLS", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_hangs_up_may_be_tried_again()
    {
        var server = ServerThatAnswers([]);

        var exception = await FailsAsync(server);

        Assert.Equal(ConnectStage.Tls, exception.Stage);
        Assert.True(exception.IsTransient);
    }

    [Fact]
    public async Task Cancellation_ends_the_handshake()
    {
        using var silent = new TcpListener(IPAddress.Loopback, port: 0);
        silent.Start();
        var server = new MqttServer($"mqtts://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}");
        using var source = new CancellationTokenSource();
        var connecting = TransportFactory.For(server).ConnectAsync(_stages.Add, source.Token).AsTask();

        using var accepted = await silent.AcceptSocketAsync(None);
        await accepted.ReceiveAsync(new byte[1], None); // the client's hello: the handshake is under way
        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
        Assert.Equal([ConnectStage.Tcp, ConnectStage.Tls], _stages);
    }

    [Fact]
    public async Task Disposing_closes_the_connection()
    {
        await using var peer = new TlsPeer(_authority.IssueServer(["localhost"]));

        var stream = await EchoAsync(Trusting(peer));
        await stream.DisposeAsync();

        Assert.False(stream.CanRead);
        await peer.DisposeAsync(); // it reads to the end, and asserts that the end came
    }

    private MqttServer Trusting(TlsPeer peer, string host = "localhost")
    {
        var server = ServerOf(peer, host);
        server.Tls.CertificateAuthorities.Add(_authority.Certificate);
        return server;
    }

    private static MqttServer ServerOf(TlsPeer peer, string host = "localhost") => new($"mqtts://{host}:{peer.Port}");

    private static MqttServer ServerThatAnswers(byte[] answer)
    {
        var listener = new TcpListener(IPAddress.Loopback, port: 0);
        listener.Start();
        _ = AnswerAsync();
        return new MqttServer($"mqtts://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");

        async Task AnswerAsync()
        {
            using (listener)
            {
                using var socket = await listener.AcceptSocketAsync();
                await socket.ReceiveAsync(new byte[4096]); // all of the hello: closing with unread bytes would be a reset
                await socket.SendAsync(answer);
                socket.Shutdown(SocketShutdown.Send);
                await socket.ReceiveAsync(new byte[1]);
            }
        }
    }

    private string FileWith(string text)
    {
        var path = Path.Combine(_files.FullName, $"{Guid.NewGuid():N}.pem");
        File.WriteAllText(path, text);
        return path;
    }

    private async Task<Stream> EchoAsync(MqttServer server)
    {
        var stream = await TransportFactory.For(server).ConnectAsync(_stages.Add, None);
        await stream.WriteAsync(new byte[] { 42 }, None);
        var buffer = new byte[1];
        await stream.ReadExactlyAsync(buffer, None);
        Assert.Equal(42, buffer[0]);
        return stream;
    }

    private async Task<MqttConnectException> FailsAsync(MqttServer server) =>
        await Assert.ThrowsAsync<MqttConnectException>(async () => await TransportFactory.For(server).ConnectAsync(_stages.Add, None));

    private async Task<MqttConnectException> RefusesAsync(MqttServer server)
    {
        var exception = await FailsAsync(server);
        Assert.Equal(ConnectStage.Tls, exception.Stage);
        Assert.False(exception.IsTransient);
        Assert.StartsWith($"Cannot connect to {server}: ", exception.Message, StringComparison.Ordinal);
        return exception;
    }
}
