using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Nightjar.Testing.Tests.Network;

public sealed class FaultyNetworkTests : IAsyncDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly FaultyNetwork _network;
    private readonly Stream _client;
    private readonly InMemoryStream _server;

    public FaultyNetworkTests()
    {
        _network = new FaultyNetwork(seed: 5, _time);
        var (near, far) = InMemoryStream.CreatePair();
        _client = _network.Wrap(near);
        _server = far;
    }

    public async ValueTask DisposeAsync()
    {
        await _network.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Without_faults_bytes_pass_and_are_counted()
    {
        await _client.WriteAsync(new byte[100]);
        await _server.WriteAsync(new byte[40]);

        Assert.Equal(100, await _server.ReadAsync(new byte[200]));
        Assert.Equal(40, await _client.ReadAsync(new byte[200]));
        Assert.Equal((100, 40, 1), (_network.ToServer.Bytes, _network.ToClient.Bytes, _network.Connections));
    }

    [Fact]
    public async Task A_piece_limit_delivers_byte_by_byte()
    {
        _network.ToClient.MaximumPiece = 1;
        await _server.WriteAsync(new byte[] { 1, 2, 3 });
        var buffer = new byte[8];

        for (byte expected = 1; expected <= 3; expected++)
        {
            Assert.Equal(1, await _client.ReadAsync(buffer));
            Assert.Equal(expected, buffer[0]);
        }
    }

    [Fact]
    public async Task A_split_starts_a_new_piece_at_its_byte()
    {
        _network.ToClient.SplitAt(3);
        _network.ToClient.SplitAt(5);
        await _server.WriteAsync(new byte[8]);

        var sizes = await ReadSizesAsync(_client, 8);

        Assert.Equal([3, 2, 3], sizes);
    }

    [Fact]
    public async Task Random_pieces_are_the_same_for_the_same_seed()
    {
        var first = await PiecesAsync(seed: 11);

        Assert.Equal(first, await PiecesAsync(seed: 11));
        Assert.NotEqual(first, await PiecesAsync(seed: 12));
        Assert.Equal(200, first.Sum());
        Assert.All(first, piece => Assert.InRange(piece, 1, 7));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(57)]
    [InlineData(99)]
    [InlineData(100)]
    public async Task A_cut_towards_the_server_lets_exactly_so_many_bytes_through(int bytes)
    {
        _network.ToServer.CutAfter(bytes);

        var error = await Record.ExceptionAsync(async () => await _client.WriteAsync(new byte[100]));

        Assert.Equal(bytes == 100 ? null : typeof(IOException), error?.GetType());
        Assert.Equal(bytes, await CountAsync(_server));
        await Assert.ThrowsAsync<IOException>(async () => await _client.ReadExactlyAsync(new byte[1]));
        await Assert.ThrowsAsync<IOException>(async () => await _client.WriteAsync(new byte[1]));
        Assert.Equal(0, _network.OpenConnections);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(57)]
    [InlineData(100)]
    public async Task A_cut_towards_the_client_lets_exactly_so_many_bytes_through(int bytes)
    {
        _network.ToClient.CutAfter(bytes);
        await _server.WriteAsync(new byte[100]);

        for (var left = bytes; left > 0;)
        {
            left -= await _client.ReadAsync(new byte[left]);
        }

        await Assert.ThrowsAsync<IOException>(async () => await _client.ReadExactlyAsync(new byte[1]));
        await Assert.ThrowsAsync<IOException>(async () => await _server.WriteAsync(new byte[1]));
        Assert.Equal(bytes, _network.ToClient.Bytes);
    }

    [Fact]
    public async Task A_cut_happens_once()
    {
        _network.ToServer.CutAfter(1);
        await Assert.ThrowsAsync<IOException>(async () => await _client.WriteAsync(new byte[2]));
        var (near, far) = InMemoryStream.CreatePair();
        await using var second = _network.Wrap(near);

        await second.WriteAsync(new byte[10]);

        Assert.Equal(10, await far.ReadAsync(new byte[20]));
    }

    [Fact]
    public async Task A_stalled_direction_holds_bytes_and_the_end_back_until_it_resumes()
    {
        _network.ToClient.Stall();
        await _server.WriteAsync(new byte[] { 1 });
        _server.CompleteWriting();
        var reading = _client.ReadAsync(new byte[2]).AsTask();
        await _client.WriteAsync(new byte[] { 2 });

        Assert.Equal(1, await _server.ReadAsync(new byte[2]));
        Assert.True(_network.ToClient.IsStalled);
        Assert.False(reading.IsCompleted);
        _network.ToClient.Resume();

        Assert.Equal(1, await reading);
        Assert.Equal(0, await _client.ReadAsync(new byte[2]));
    }

    [Fact]
    public async Task A_read_that_is_cancelled_while_stalled_loses_nothing()
    {
        _network.ToClient.Stall();
        await _server.WriteAsync(new byte[] { 6 });
        using var cancel = new CancellationTokenSource();
        var reading = _client.ReadAsync(new byte[1], cancel.Token).AsTask();

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        _network.ToClient.Resume();

        var buffer = new byte[1];
        Assert.Equal(1, await _client.ReadAsync(buffer));
        Assert.Equal(6, buffer[0]);
    }

    [Fact]
    public async Task A_delay_counts_on_the_networks_clock()
    {
        _network.ToServer.Delay = TimeSpan.FromSeconds(3);
        var writing = _client.WriteAsync(new byte[] { 1 }).AsTask();
        await _time.WaitForTimerAsync(TimeSpan.FromSeconds(3));

        _time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.Equal(0, _network.ToServer.Bytes);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        await writing;

        Assert.Equal(1, await _server.ReadAsync(new byte[2]));
    }

    [Fact]
    public async Task Half_closing_towards_the_server_ends_what_it_reads_and_not_what_it_sends()
    {
        await _network.HalfCloseToServerAsync();

        await _client.WriteAsync(new byte[] { 1 });
        Assert.Equal(0, await _server.ReadAsync(new byte[1]));
        await _server.WriteAsync(new byte[] { 2 });
        Assert.Equal(1, await _client.ReadAsync(new byte[1]));
    }

    [Fact]
    public async Task Half_closing_towards_the_client_ends_what_it_reads_and_not_what_it_sends()
    {
        var reading = _client.ReadAsync(new byte[1]).AsTask();
        _network.HalfCloseToClient();

        Assert.Equal(0, await reading);
        await _server.WriteAsync(new byte[] { 2 });
        Assert.Equal(0, await _client.ReadAsync(new byte[1]));
        await _client.WriteAsync(new byte[] { 1 });
        Assert.Equal(1, await _server.ReadAsync(new byte[1]));
    }

    [Fact]
    public async Task The_proxy_relays_both_ways_and_passes_the_ends_on()
    {
        using var target = Target();
        _network.Listen(((IPEndPoint)target.LocalEndpoint).Port);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _network.Port);
        using var server = await target.AcceptTcpClientAsync();
        var (clientStream, serverStream) = (client.GetStream(), server.GetStream());

        await clientStream.WriteAsync(new byte[] { 1, 2 });
        client.Client.Shutdown(SocketShutdown.Send);
        Assert.Equal(2, await CountAsync(serverStream));
        await serverStream.WriteAsync(new byte[] { 3, 4, 5 });
        server.Client.Shutdown(SocketShutdown.Send);

        Assert.Equal(3, await CountAsync(clientStream));
        Assert.Equal((2, 3), (_network.ToServer.Bytes, _network.ToClient.Bytes));
        Assert.StartsWith("mqtt://127.0.0.1:", _network.Uri, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1000)]
    public async Task The_proxy_cuts_both_ends_behind_the_last_byte(int bytes)
    {
        using var target = Target();
        _network.Listen(((IPEndPoint)target.LocalEndpoint).Port);
        _network.ToClient.CutAfter(bytes);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _network.Port);
        using var server = await target.AcceptTcpClientAsync();

        await server.GetStream().WriteAsync(new byte[5000]);

        Assert.Equal(bytes, await CountAsync(client.GetStream()));
        Assert.Equal(0, await CountAsync(server.GetStream()));
    }

    [Fact]
    public async Task The_proxy_refuses_and_accepts_on_the_same_port()
    {
        using var target = Target();
        _network.Listen(((IPEndPoint)target.LocalEndpoint).Port);
        var port = _network.Port;

        _network.Refuse();
        using (var refused = new TcpClient())
        {
            await Assert.ThrowsAsync<SocketException>(async () => await refused.ConnectAsync(IPAddress.Loopback, port));
        }

        _network.Accept();
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        using var server = await target.AcceptTcpClientAsync();

        Assert.Equal(port, _network.Port);
        Assert.True(server.Connected);
    }

    [Fact]
    public async Task Cutting_now_ends_all_connections_of_the_proxy()
    {
        using var target = Target();
        _network.Listen(((IPEndPoint)target.LocalEndpoint).Port);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _network.Port);
        using var server = await target.AcceptTcpClientAsync();
        await client.GetStream().WriteAsync(new byte[] { 1 });
        Assert.Equal(1, await server.GetStream().ReadAsync(new byte[1]));

        _network.Cut();

        Assert.Equal(0, await CountAsync(client.GetStream()));
        Assert.Equal(0, await CountAsync(server.GetStream()));
    }

    [Fact]
    public async Task A_network_that_is_stalled_can_be_disposed()
    {
        using var target = Target();
        _network.Listen(((IPEndPoint)target.LocalEndpoint).Port);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _network.Port);
        using var server = await target.AcceptTcpClientAsync();
        _network.ToServer.Stall();
        _network.ToClient.Stall();
        await client.GetStream().WriteAsync(new byte[] { 1 });
        client.Client.Shutdown(SocketShutdown.Send);

        await _network.DisposeAsync();

        Assert.Equal(0, await CountAsync(server.GetStream()));
    }

    [Fact]
    public void There_is_no_port_without_a_proxy()
    {
        Assert.Throws<InvalidOperationException>(() => _network.Port);
        Assert.Throws<InvalidOperationException>(_network.Refuse);
    }

    private static TcpListener Target()
    {
        var target = new TcpListener(IPAddress.Loopback, 0);
        target.Start();
        return target;
    }

    private static async Task<int[]> PiecesAsync(int seed)
    {
        await using var network = new FaultyNetwork(seed);
        network.ToClient.RandomPieces = true;
        network.ToClient.MaximumPiece = 7;
        var (near, far) = InMemoryStream.CreatePair();
        await using var client = network.Wrap(near);
        await far.WriteAsync(new byte[200]);
        return await ReadSizesAsync(client, 200);
    }

    private static async Task<int[]> ReadSizesAsync(Stream stream, int total)
    {
        var sizes = new List<int>();
        while (sizes.Sum() < total)
        {
            sizes.Add(await stream.ReadAsync(new byte[total]));
        }

        return [.. sizes];
    }

    private static async Task<int> CountAsync(Stream stream)
    {
        var total = 0;
        try
        {
            int count;
            while ((count = await stream.ReadAsync(new byte[4096])) > 0)
            {
                total += count;
            }
        }
        catch (IOException)
        {
            // A reset: some systems answer a close with unread bytes so.
        }

        return total;
    }
}
