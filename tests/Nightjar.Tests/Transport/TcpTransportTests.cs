using System.Net;
using System.Net.Sockets;
using Nightjar.Transport;
using Xunit;

namespace Nightjar.Tests.Transport;

public sealed class TcpTransportTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly List<ConnectStage> _stages = [];

    [Fact]
    public async Task A_name_is_resolved_and_its_addresses_are_tried()
    {
        using var listener = new TcpListener(IPAddress.Loopback, port: 0);
        listener.Start();

        await using var stream = await TransportFactory.For(new MqttServer($"mqtt://localhost:{PortOf(listener)}")).ConnectAsync(_stages.Add, None);
        using var accepted = await listener.AcceptTcpClientAsync(None);
        await stream.WriteAsync("ping"u8.ToArray(), None);
        var buffer = new byte[4];
        await accepted.GetStream().ReadExactlyAsync(buffer, None);

        Assert.Equal("ping"u8.ToArray(), buffer);
        Assert.Equal([ConnectStage.Dns, ConnectStage.Tcp], _stages);
        Assert.True(Assert.IsType<NetworkStream>(stream).Socket.NoDelay);
    }

    [Fact]
    public async Task An_address_needs_no_name_resolution()
    {
        using var listener = new TcpListener(IPAddress.Loopback, port: 0);
        listener.Start();

        await using var stream = await TransportFactory.For(new MqttServer($"mqtt://127.0.0.1:{PortOf(listener)}")).ConnectAsync(_stages.Add, None);

        Assert.Equal([ConnectStage.Tcp], _stages);
    }

    [Fact]
    public async Task A_refused_connection_says_so_and_may_be_tried_again()
    {
        using var taken = BoundButNotListening();
        var server = new MqttServer($"mqtt://127.0.0.1:{((IPEndPoint)taken.LocalEndPoint!).Port}");

        var exception = await FailsAsync(server);

        Assert.Equal(ConnectStage.Tcp, exception.Stage);
        Assert.True(exception.IsTransient);
        Assert.Equal($"Cannot connect to {server}: connection refused (is a broker running there?).", exception.Message);
        Assert.IsType<SocketException>(exception.InnerException);
    }

    [Fact]
    public async Task A_name_that_does_not_exist_fails_at_the_stage_of_names()
    {
        var exception = await FailsAsync(new MqttServer("mqtt://nightjar.invalid"));

        Assert.Equal(ConnectStage.Dns, exception.Stage);
        Assert.True(exception.IsTransient);
        Assert.StartsWith("Cannot connect to mqtt://nightjar.invalid:1883: its name ", exception.Message, StringComparison.Ordinal);
        Assert.Equal([ConnectStage.Dns], _stages);
    }

    [Fact]
    public async Task The_local_address_is_the_one_asked_for()
    {
        using var listener = new TcpListener(IPAddress.Loopback, port: 0);
        listener.Start();
        var server = new MqttServer($"mqtt://localhost:{PortOf(listener)}") { LocalAddress = IPAddress.Loopback };

        await using var stream = await TransportFactory.For(server).ConnectAsync(_stages.Add, None);
        using var accepted = await listener.AcceptTcpClientAsync(None);

        Assert.Equal(IPAddress.Loopback, ((IPEndPoint)accepted.Client.RemoteEndPoint!).Address);
    }

    [Fact]
    public async Task A_local_address_of_the_other_family_is_explained()
    {
        var exception = await FailsAsync(new MqttServer("mqtt://127.0.0.1") { LocalAddress = IPAddress.IPv6Loopback });

        Assert.False(exception.IsTransient);
        Assert.Contains("local address ::1, which is of another family", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_local_address_of_another_machine_is_explained()
    {
        var exception = await FailsAsync(new MqttServer("mqtt://127.0.0.1") { LocalAddress = IPAddress.Parse("192.0.2.1") });

        Assert.Equal(ConnectStage.Tcp, exception.Stage);
        Assert.Contains("the local address 192.0.2.1 is not one of this machine's", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mqtt://localhost")]
    [InlineData("mqtt://127.0.0.1")]
    public async Task Cancellation_passes_through(string uri)
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        var exception = await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await TransportFactory.For(new MqttServer(uri)).ConnectAsync(_stages.Add, cancelled.Token));

        Assert.Equal(cancelled.Token, exception.CancellationToken);
    }

    [Fact]
    public async Task A_password_is_not_sent_in_the_clear_to_another_machine()
    {
        var exception = await FailsAsync(new MqttServer("mqtt://alice:s3cret@192.0.2.1"));

        Assert.Equal(ConnectStage.Tcp, exception.Stage);
        Assert.False(exception.IsTransient);
        Assert.Contains("MqttServer.AllowPlaintextCredentials", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", exception.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mqtt://alice:s3cret@host", "192.0.2.1", false, true)]
    [InlineData("mqtt://alice:s3cret@host", "::ffff:192.0.2.1", false, true)]
    [InlineData("mqtt://:s3cret@host", "2001:db8::1", false, true)]
    [InlineData("mqtt://alice:s3cret@host", "192.0.2.1", true, false)]
    [InlineData("mqtts://alice:s3cret@host", "192.0.2.1", false, false)]
    [InlineData("mqtt://alice@host", "192.0.2.1", false, false)]
    [InlineData("mqtt://host", "192.0.2.1", false, false)]
    [InlineData("mqtt://alice:s3cret@host", "127.8.9.10", false, false)]
    [InlineData("mqtt://alice:s3cret@host", "::ffff:127.8.9.10", false, false)]
    [InlineData("mqtt://alice:s3cret@host", "::1", false, false)]
    public void A_password_needs_encryption_loopback_or_permission(string uri, string address, bool allowed, bool refused)
    {
        var server = new MqttServer(uri) { AllowPlaintextCredentials = allowed };

        var exception = Record.Exception(() => PlaintextCredentials.ThrowIfExposed(server, IPAddress.Parse(address)));

        Assert.Equal(refused, exception is MqttConnectException);
        Assert.Equal(refused, exception is not null);
    }

    private async Task<MqttConnectException> FailsAsync(MqttServer server) =>
        await Assert.ThrowsAsync<MqttConnectException>(async () => await TransportFactory.For(server).ConnectAsync(_stages.Add, None));

    private static int PortOf(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port;

    // Nobody else can take the port meanwhile, and nobody answers on it.
    private static Socket BoundButNotListening()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port: 0));
        return socket;
    }
}
