using System.Net;
using System.Net.Sockets;
using Nightjar.Testing;
using Nightjar.Transport;
using Xunit;

namespace Nightjar.Tests.Transport;

/// <summary>RFC 8305 without a network: each attempt ends when the test says so, and the clock moves when the test moves it.</summary>
public sealed class AddressRaceTests
{
    private static readonly IPAddress One = IPAddress.Parse("2001:db8::1");
    private static readonly IPAddress Two = IPAddress.Parse("192.0.2.2");
    private static readonly IPAddress Three = IPAddress.Parse("192.0.2.3");

    private readonly ManualTimeProvider _time = new();
    private readonly Track _track = new();
    private readonly List<(IPAddress Address, Exception Error)> _failures = [];

    [Fact]
    public async Task The_first_address_alone_is_enough_when_it_answers_in_time()
    {
        var race = Start(One, Two);
        var stream = _track[One].Succeed();

        Assert.Same(stream, await race.Soon());
        Assert.Equal([One], _track.Started);
        Assert.Empty(_failures);
    }

    [Fact]
    public async Task The_next_starts_after_the_attempt_delay_and_may_win()
    {
        var race = Start(One, Two, Three);
        await _time.WaitForTimerAsync(AddressRace.AttemptDelay).Soon();
        _time.Advance(AddressRace.AttemptDelay - TimeSpan.FromTicks(1));
        Assert.Equal([One], _track.Started);

        _time.Advance(TimeSpan.FromTicks(1));
        var second = await _track.StartOf(Two);
        var stream = second.Succeed();

        Assert.Same(stream, await race.Soon());
        Assert.Equal([One, Two], _track.Started);
        Assert.True(_track[One].Token.IsCancellationRequested);
    }

    [Fact]
    public async Task A_failure_starts_the_next_at_once()
    {
        var race = Start(One, Two);

        _track[One].Fail(SocketError.NetworkUnreachable);
        var second = await _track.StartOf(Two);
        second.Succeed();

        Assert.NotNull(await race.Soon());
        Assert.Equal([One], _failures.Select(failure => failure.Address));
    }

    [Fact]
    public async Task A_loser_that_arrives_later_is_closed()
    {
        var race = Start(One, Two);
        await _time.WaitForTimerAsync(AddressRace.AttemptDelay).Soon();
        _time.Advance(AddressRace.AttemptDelay);
        (await _track.StartOf(Two)).Succeed();
        await race.Soon();

        var late = _track[One].Succeed();

        await late.Disposed.Task.Soon();
    }

    [Fact]
    public async Task When_all_fail_all_errors_are_reported_in_the_order_of_the_starts()
    {
        var race = Start(One, Two, Three);
        _track[One].Fail(SocketError.NetworkUnreachable);
        (await _track.StartOf(Two)).Fail(SocketError.ConnectionRefused);
        (await _track.StartOf(Three)).Fail(SocketError.TimedOut);

        Assert.Null(await race.Soon());

        Assert.Equal([One, Two, Three], _failures.Select(failure => failure.Address));
        Assert.Equal(
            [SocketError.NetworkUnreachable, SocketError.ConnectionRefused, SocketError.TimedOut],
            _failures.Select(failure => ((SocketException)failure.Error).SocketErrorCode));
    }

    [Fact]
    public async Task Cancellation_ends_it_although_an_attempt_does_not_listen()
    {
        using var cancelled = new CancellationTokenSource();
        var race = new AddressRace(_track.ConnectAsync, _time).RunAsync([One], _failures, cancelled.Token);

        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => race.Soon());
        var late = _track[One].Succeed();
        await late.Disposed.Task.Soon();
    }

    private ValueTask<Stream?> Start(params IPAddress[] addresses) => new AddressRace(_track.ConnectAsync, _time).RunAsync(addresses, _failures, CancellationToken.None);

    private sealed class Track
    {
        private readonly Dictionary<IPAddress, TaskCompletionSource<Attempt>> _starts = [];

        public List<IPAddress> Started { get; } = [];

        public Attempt this[IPAddress address] => StartOf(address).Result;

        public Task<Attempt> StartOf(IPAddress address)
        {
            lock (_starts)
            {
                return Source(address).Task.Soon($"an attempt at {address}");
            }
        }

        public Task<Stream> ConnectAsync(IPAddress address, CancellationToken cancellationToken)
        {
            var attempt = new Attempt(cancellationToken);
            lock (_starts)
            {
                Started.Add(address);
                Source(address).SetResult(attempt);
            }

            return attempt.End.Task;
        }

        private TaskCompletionSource<Attempt> Source(IPAddress address)
        {
            if (!_starts.TryGetValue(address, out var source))
            {
                _starts[address] = source = new TaskCompletionSource<Attempt>(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            return source;
        }
    }

    private sealed class Attempt(CancellationToken token)
    {
        public CancellationToken Token => token;

        public TaskCompletionSource<Stream> End { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Line Succeed()
        {
            var line = new Line();
            End.SetResult(line);
            return line;
        }

        public void Fail(SocketError error) => End.SetException(new SocketException((int)error));
    }

    private sealed class Line : MemoryStream
    {
        public TaskCompletionSource Disposed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            Disposed.TrySetResult();
        }
    }
}
