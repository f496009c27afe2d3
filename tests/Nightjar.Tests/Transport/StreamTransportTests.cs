using Nightjar.Transport;
using Xunit;

namespace Nightjar.Tests.Transport;

public sealed class StreamTransportTests
{
    [Fact]
    public async Task The_stream_is_opened_anew_for_each_attempt()
    {
        var opened = 0;
        var stages = new List<ConnectStage>();
        var transport = For(_ =>
        {
            opened++;
            return ValueTask.FromResult<Stream>(new MemoryStream());
        });

        await using var first = await transport.ConnectAsync(stages.Add, CancellationToken.None);
        await using var second = await transport.ConnectAsync(stages.Add, CancellationToken.None);

        Assert.NotSame(first, second);
        Assert.Equal(2, opened);
        Assert.Equal([ConnectStage.Tcp, ConnectStage.Tcp], stages);
    }

    [Theory]
    [InlineData(typeof(IOException), true)]
    [InlineData(typeof(TimeoutException), true)]
    [InlineData(typeof(OperationCanceledException), true)]
    [InlineData(typeof(InvalidOperationException), false)]
    public async Task A_stream_that_cannot_be_opened_fails_the_attempt(Type type, bool transient)
    {
        var cause = (Exception)Activator.CreateInstance(type, "the tunnel is closed")!;

        var exception = await FailsAsync(For(_ => throw cause));

        Assert.Same(cause, exception.InnerException);
        Assert.Equal(ConnectStage.Tcp, exception.Stage);
        Assert.Equal(transient, exception.IsTransient);
        Assert.StartsWith("Cannot connect to tunnel: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains("the tunnel is closed", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_that_is_explained_already_passes_through()
    {
        var cause = ConnectFailure.Transient(new MqttServer("mqtt://elsewhere"), ConnectStage.Dns, "no");

        Assert.Same(cause, await FailsAsync(For(_ => throw cause)));
    }

    [Fact]
    public async Task Cancellation_passes_through()
    {
        using var source = new CancellationTokenSource();
        var transport = For(async token =>
        {
            await source.CancelAsync();
            token.ThrowIfCancellationRequested();
            return Stream.Null;
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await transport.ConnectAsync(_ => { }, source.Token));
    }

    [Fact]
    public async Task A_stream_must_read_and_write()
    {
        var readOnly = new MemoryStream([], writable: false);

        Assert.False((await FailsAsync(For(_ => ValueTask.FromResult<Stream>(readOnly)))).IsTransient);
        Assert.False(readOnly.CanRead); // it was disposed
        Assert.False((await FailsAsync(For(_ => ValueTask.FromResult<Stream>(null!)))).IsTransient);
    }

    [Fact]
    public async Task A_password_may_travel_over_it()
    {
        var server = MqttServer.FromStream("tunnel", _ => ValueTask.FromResult<Stream>(new MemoryStream()));
        server.Credentials = new MqttCredentials("alice", "s3cret");

        await using var stream = await TransportFactory.For(server).ConnectAsync(_ => { }, CancellationToken.None);

        Assert.True(stream.CanWrite);
    }

    private static ITransport For(Func<CancellationToken, ValueTask<Stream>> open) => TransportFactory.For(MqttServer.FromStream("tunnel", open));

    private static async Task<MqttConnectException> FailsAsync(ITransport transport) =>
        await Assert.ThrowsAsync<MqttConnectException>(async () => await transport.ConnectAsync(_ => { }, CancellationToken.None));
}
