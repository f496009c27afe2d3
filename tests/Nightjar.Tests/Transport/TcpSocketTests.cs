using System.Net;
using System.Net.Sockets;
using Nightjar.Transport;
using Xunit;

namespace Nightjar.Tests.Transport;

/// <summary>What is asked of sockets, and what several addresses of one name do.</summary>
public sealed class TcpSocketTests : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;
    private static readonly IPAddress Far = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress Farther = IPAddress.Parse("2001:db8::1");

    private readonly TcpListener _listener = new(IPAddress.Loopback, port: 0);

    public TcpSocketTests() => _listener.Start();

    private int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    [Theory]
    [InlineData(null, 60.0, 90.0)]
    [InlineData(null, 0.0, null)]
    [InlineData(7.0, 60.0, 7.0)]
    [InlineData(7.0, 0.0, 7.0)]
    public void The_user_timeout_follows_keep_alive_unless_it_is_set(double? option, double keepAlive, double? expected)
    {
        var options = new TcpOptions { UserTimeout = option is { } seconds ? TimeSpan.FromSeconds(seconds) : null };

        Assert.Equal(expected, UserTimeout.For(options, TimeSpan.FromSeconds(keepAlive))?.TotalSeconds);
    }

    [Fact]
    public void An_infinite_user_timeout_leaves_it_to_the_system() =>
        Assert.Null(UserTimeout.For(new TcpOptions { UserTimeout = Timeout.InfiniteTimeSpan }, TimeSpan.FromSeconds(60)));

    [Fact]
    public async Task The_user_timeout_is_set_where_the_system_has_it()
    {
        Assert.SkipUnless(UserTimeout.IsSupported, "This system has no TCP_USER_TIMEOUT.");

        var transport = TransportFactory.For(new MqttServer($"mqtt://127.0.0.1:{Port}"), keepAlive: TimeSpan.FromSeconds(40));
        await using var stream = (NetworkStream)await transport.ConnectAsync(_ => { }, None);

        Assert.Equal(TimeSpan.FromSeconds(60), UserTimeout.Get(stream.Socket));
    }

    [Fact]
    public async Task The_application_may_tune_the_socket_before_it_connects()
    {
        var connected = true;
        var server = new MqttServer($"mqtt://127.0.0.1:{Port}");
        server.Tcp.Configure = socket =>
        {
            connected = socket.Connected;
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        };

        await using var stream = (NetworkStream)await TransportFactory.For(server).ConnectAsync(_ => { }, None);

        Assert.False(connected);
        Assert.NotEqual(0, stream.Socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
    }

    [Fact]
    public async Task What_the_application_throws_there_ends_the_attempt_and_says_where_it_came_from()
    {
        var server = new MqttServer($"mqtt://127.0.0.1:{Port}");
        server.Tcp.Configure = _ => throw new NotSupportedException("No such option.");

        var error = await Assert.ThrowsAsync<MqttConnectException>(async () => await TransportFactory.For(server).ConnectAsync(_ => { }, None));

        Assert.False(error.IsTransient);
        Assert.Contains("TcpOptions.Configure failed (No such option)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_addresses_are_in_the_error_when_none_answers()
    {
        var seams = new Played([Far, Farther], _ => throw new SocketException((int)SocketError.HostUnreachable));

        var error = await FailAsync(new MqttServer("mqtt://host"), seams);

        Assert.Contains("no route leads there (is the network up?) at 192.0.2.1, 2001:db8::1", error.Message, StringComparison.Ordinal);
        Assert.True(error.IsTransient);
    }

    [Fact]
    public async Task Each_address_has_its_own_error_when_they_differ()
    {
        var seams = new Played([Far, Farther], address => throw new SocketException((int)(address.Equals(Far) ? SocketError.ConnectionRefused : SocketError.TimedOut)));

        var error = await FailAsync(new MqttServer("mqtt://host"), seams);

        Assert.Contains("192.0.2.1: connection refused (is a broker running there?); 2001:db8::1: no answer (is a firewall between?)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_goes_to_the_addresses_that_may_have_it_only()
    {
        var seams = new Played([Far, IPAddress.Loopback], _ => new MemoryStream());
        var server = new MqttServer("mqtt://alice:s3cret@host");

        await using var stream = await new TcpTransport(server, TimeProvider.System, TimeSpan.Zero, seams).ConnectAsync(_ => { }, None);

        Assert.Equal([IPAddress.Loopback], seams.Asked);
    }

    [Fact]
    public async Task A_password_that_may_go_nowhere_is_the_error_even_beside_others()
    {
        var seams = new Played([IPAddress.Loopback, Far], _ => throw new SocketException((int)SocketError.ConnectionRefused));

        var error = await FailAsync(new MqttServer("mqtt://alice:s3cret@host"), seams);

        Assert.Contains("MqttServer.AllowPlaintextCredentials", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", error.ToString(), StringComparison.Ordinal);
    }

    public void Dispose() => _listener.Dispose();

    private static async Task<MqttConnectException> FailAsync(MqttServer server, TcpSeams seams) => await Assert.ThrowsAsync<MqttConnectException>(
        async () => await new TcpTransport(server, TimeProvider.System, TimeSpan.Zero, seams).ConnectAsync(_ => { }, None));

    private sealed class Played(IPAddress[] addresses, Func<IPAddress, Stream> answer) : TcpSeams
    {
        public List<IPAddress> Asked { get; } = [];

        public override Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) => Task.FromResult(addresses);

        public override async Task<Stream> ConnectAsync(Socket socket, IPEndPoint remote, CancellationToken cancellationToken)
        {
            await Task.Yield();
            Asked.Add(remote.Address);
            socket.Dispose();
            return answer(remote.Address);
        }
    }
}
