using Microsoft.Extensions.Logging;
using Nightjar.Testing;
using Nightjar.Tests.Supervision;
using Xunit;

namespace Nightjar.Tests.Connection;

/// <summary>What the application's own code throws, or never ends, harms neither the client nor whoever happens to be there.</summary>
public sealed class ContainmentTests : IDisposable
{
    private readonly LogNotes _log = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task A_stream_that_throws_when_it_is_closed_is_replaced_like_any_other()
    {
        await using var broker = InMemory.Broker();
        var last = new OwnStream(broker.ConnectInMemory()) { Closing = () => throw new InvalidOperationException("it does not close") };
        var first = last;
        var options = InMemory.Options(() => Interlocked.Exchange(ref last, null) ?? broker.ConnectInMemory());
        options.LoggerFactory = _log;
        await using var client = new MqttClient(options);
        await client.ConnectAsync().Soon();
        await using var events = new EventReader(client);

        first.Break();

        await events.NextAsync<ClientEvent.Connected>();
        await client.PublishAsync("t", "x").Soon();
        Assert.Contains(_log.Entries, entry => entry.Id == 106);
    }

    [Fact]
    public async Task Disposing_a_client_whose_stream_throws_when_it_is_closed_throws_nothing()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(() => new OwnStream(broker.ConnectInMemory()) { Closing = () => throw new IOException("it does not close") }));
        await client.ConnectAsync().Soon();

        client.Abort();
        await client.DisposeAsync().Soon();

        Assert.Equal(ClientState.Closed, client.State);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_hangs_on_the_token_of_an_attempt_may_throw_or_block_for_ever(bool blocks)
    {
        using var release = new ManualResetEventSlim();
        var opening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var options = new MqttClientOptions
        {
            Servers =
            {
                MqttServer.FromStream("peer", async token =>
                {
                    token.Register(() =>
                    {
                        cancelled.TrySetResult();
                        if (blocks)
                        {
                            release.Wait();
                        }

                        throw new InvalidDataException("not now");
                    });
                    opening.TrySetResult();
                    await Task.Delay(Timeout.Infinite, token);
                    return Stream.Null;
                }),
            },
            LoggerFactory = _log,
        };
        await using var client = new MqttClient(options);
        client.ConnectAsync().Unwatched();
        await opening.Task.Soon();

        await Task.Run(async () => await client.DisposeAsync()).Soon();

        await cancelled.Task.Soon();
        Assert.Equal(ClientState.Closed, client.State);
        release.Set();
        await Eventually.True(() => _log.Entries.Any(entry => entry.Id == 136));
    }

    [Fact]
    public async Task A_logger_that_throws_is_not_heard_and_stops_nothing()
    {
        await using var broker = InMemory.Broker();
        var attempts = 0;
        var options = InMemory.Options(() => ++attempts == 1 ? throw new IOException("not yet") : broker.ConnectInMemory());
        options.Reconnect.Policy = ReconnectPolicy.From(_ => throw new InvalidOperationException("no idea"));
        options.Receive.HandlerRetries = 0;
        using var thrower = new ThrowingLogger();
        options.LoggerFactory = thrower;
        await using var client = new MqttClient(options);
        var handled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await client.On("t", message =>
        {
            if (message.Text == "poison")
            {
                throw new InvalidDataException("indigestible");
            }

            handled.TrySetResult();
        }).Granted.Soon();

        await client.PublishAsync("t", "poison").Soon();
        await client.PublishAsync("t", "good").Soon();

        await handled.Task.Soon();
        Assert.True(thrower.Thrown > 2, $"{thrower.Thrown}");
    }

    [Fact]
    public async Task A_write_that_fails_ends_the_connection_also_while_the_receive_loop_waits_for_room_to_acknowledge()
    {
        await using var peer = InMemory.Peer();
        var mayWrite = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var stream = new OwnStream(peer.ConnectInMemory());
        var time = new ManualTimeProvider();
        var connections = 0;
        var second = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var options = InMemory.Options(
            () =>
            {
                if (connections++ == 0)
                {
                    return stream;
                }

                second.TrySetResult();
                throw new IOException("that was all");
            },
            time);
        options.KeepAlive = TimeSpan.Zero;
        options.Receive.ReceiveMaximum = ushort.MaxValue;
        await using var client = new MqttClient(options);
        using var end = new AbortAtEnd(client);
        client.OnLeased("t", _ => { }, new SubscribeOptions { Acknowledge = AcknowledgeMode.AtArrival });
        await peer.AcceptClientAsync();
        await peer.GrantAsync();
        await client.WhenConnectedAsync().Soon();
        stream.Writing = () => mayWrite.Task;

        // Four bytes of acknowledgement each, and nobody takes them.
        using var stop = new CancellationTokenSource();
        var flood = Task.Run(async () =>
        {
            for (var id = 1; !stop.IsCancellationRequested;)
            {
                var chunk = new byte[8 * 1_000];
                for (var at = 0; at < chunk.Length; at += 8, id = (id % 60_000) + 1)
                {
                    // PUBLISH at QoS 1 of eight bytes: topic, packet identifier, no properties.
                    byte[] publish = [0x32, 6, 0, 1, (byte)'t', (byte)(id >> 8), (byte)id, 0];
                    publish.CopyTo(chunk, at);
                }

                await peer.SendBytesAsync(chunk);
            }
        });
        await Eventually.True(() => client.Statistics.MessagesReceived.AtLeastOnce > 16_000);
        await Eventually.Still(() => client.Statistics.MessagesReceived.AtLeastOnce);
        await using var events = new EventReader(client);
        mayWrite.SetException(new IOException("the wire is cut"));

        var lost = await events.NextAsync<ClientEvent.Disconnected>();
        Assert.Equal("the wire is cut", lost.Error?.InnerException?.Message);
        await stop.CancelAsync();
        await flood.ContinueWith(ended => ended.Exception, TaskScheduler.Default).Soon();
    }

    /// <summary>Passes everything on, and lets the test say what else happens.</summary>
    private sealed class OwnStream(Stream inner) : Stream
    {
        private readonly CancellationTokenSource _broken = new();

        public Action? Closing { get; set; }

        public Func<Task>? Writing { get; set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public void Break() => _broken.Cancel();

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => await inner.ReadAsync(buffer, _broken.Token);

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Writing is { } writing)
            {
                await writing();
            }

            await inner.WriteAsync(buffer, cancellationToken);
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            Closing?.Invoke();
            base.Dispose(disposing);
        }
    }

    private sealed class ThrowingLogger : ILoggerFactory, ILogger
    {
        private int _thrown;

        public int Thrown => Volatile.Read(ref _thrown);

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            Interlocked.Increment(ref _thrown);
            throw new IOException("the disk is full");
        }

        public void Dispose()
        {
        }
    }
}
