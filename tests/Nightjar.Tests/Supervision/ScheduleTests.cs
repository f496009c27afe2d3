using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Supervision;

/// <summary>Connection windows.</summary>
public sealed class ScheduleTests
{
    // Timers count in whole milliseconds, rounded up.
    private static readonly TimeSpan Rounding = TimeSpan.FromMilliseconds(1);

    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task There_is_a_connection_only_inside_the_windows()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker, _time);
        options.KeepAlive = TimeSpan.Zero;
        options.Connection.Schedule = ConnectionSchedule.Daily(new TimeOnly(8, 0), new TimeOnly(9, 0));
        await using var client = new MqttClient(options);
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        var publish = client.PublishAsync("t", "waits for the window").AsTask();
        await UntilAsync(client, ClientState.Waiting, TimeSpan.FromHours(8));
        Assert.Empty(broker.ConnectedClients);

        _time.Advance(TimeSpan.FromHours(8) + Rounding);
        await publish.Soon();
        Assert.Equal(ClientState.Connected, client.State);

        _time.Advance(TimeSpan.FromHours(1));
        var ended = await events.NextAsync<ClientEvent.Disconnected>();
        Assert.Equal((null, DisconnectCause.Local), (ended.Error, ended.Cause));
        Assert.Contains("window", ended.Reason, StringComparison.Ordinal);
        await UntilAsync(client, ClientState.Waiting, TimeSpan.FromHours(23) - Rounding);
    }

    [Fact]
    public async Task A_window_farther_off_than_a_timer_reaches_is_waited_for()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker, _time);
        var opens = _time.GetUtcNow() + TimeSpan.FromDays(400);
        options.Connection.Schedule = ConnectionSchedule.From(_ => new ConnectionWindow(opens, opens.AddDays(1)));
        await using var client = new MqttClient(options);
        using var end = new AbortAtEnd(client);
        var publish = client.PublishAsync("t", "next year").AsTask();
        await UntilAsync(client, ClientState.Waiting, TimeSpan.FromDays(400));

        _time.Advance(TimeSpan.FromDays(399));
        Assert.Equal(ClientState.Waiting, client.State);

        _time.Advance(TimeSpan.FromDays(1) + Rounding);
        await publish.Soon();
    }

    [Fact]
    public async Task Who_asks_for_a_connection_needs_no_window()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker, _time);
        options.Connection.Schedule = ConnectionSchedule.From(_ => null);
        await using var client = new MqttClient(options);
        using var end = new AbortAtEnd(client);

        await client.ConnectAsync().Soon();

        Assert.Equal(ClientState.Connected, client.State);
    }

    [Theory]
    [InlineData(-2, -1)]
    [InlineData(-1, 0)]
    [InlineData(2, 1)]
    public async Task A_window_that_nobody_can_be_in_is_none_and_is_logged(int start, int end)
    {
        using var logs = new LogNotes();
        var options = InMemory.Options(() => throw new InvalidOperationException("nothing may be opened"), _time);
        options.LoggerFactory = logs;
        options.Connection.Schedule = ConnectionSchedule.From(now => new ConnectionWindow(now.AddHours(start), now.AddHours(end)));
        await using var client = new MqttClient(options);
        using var stop = new AbortAtEnd(client);
        client.PublishAsync("t", "x").AsTask().Unwatched();

        await Eventually.True(() => logs.Entries.Any(entry => entry.Id == 133));

        Assert.Equal((ClientState.Waiting, null), (client.State, client.Status.NextAttemptIn));
    }

    [Fact]
    public async Task A_schedule_that_throws_is_one_without_windows()
    {
        var asked = new TaskCompletionSource();
        var options = InMemory.Options(() => throw new InvalidOperationException("nothing may be opened"), _time);
        options.Connection.Schedule = ConnectionSchedule.From(_ =>
        {
            asked.TrySetResult();
            throw new InvalidOperationException("broken");
        });
        await using var client = new MqttClient(options);
        using var end = new AbortAtEnd(client);
        client.PublishAsync("t", "x").AsTask().Unwatched();

        await asked.Task.Soon();

        Assert.Equal(ClientState.Waiting, client.State);
    }

    [Theory]
    [InlineData("2026-06-01T07:59:59Z", "2026-06-01T08:00:00Z", "2026-06-01T17:00:00Z")]
    [InlineData("2026-06-01T08:00:00Z", "2026-06-01T08:00:00Z", "2026-06-01T17:00:00Z")]
    [InlineData("2026-06-01T16:59:59Z", "2026-06-01T08:00:00Z", "2026-06-01T17:00:00Z")]
    [InlineData("2026-06-01T17:00:00Z", "2026-06-02T08:00:00Z", "2026-06-02T17:00:00Z")]
    public void A_daily_window_is_the_one_of_now_or_the_next(string now, string start, string end)
    {
        var schedule = ConnectionSchedule.Daily(new TimeOnly(8, 0), new TimeOnly(17, 0));

        Assert.Equal(new ConnectionWindow(Time(start), Time(end)), schedule.NextWindow(Time(now)));
    }

    [Theory]
    [InlineData("2026-06-01T23:00:00Z", "2026-06-01T22:00:00Z", "2026-06-02T02:00:00Z")]
    [InlineData("2026-06-02T01:00:00Z", "2026-06-01T22:00:00Z", "2026-06-02T02:00:00Z")]
    [InlineData("2026-06-02T02:00:00Z", "2026-06-02T22:00:00Z", "2026-06-03T02:00:00Z")]
    public void A_daily_window_may_reach_past_midnight(string now, string start, string end)
    {
        var schedule = ConnectionSchedule.Daily(new TimeOnly(22, 0), new TimeOnly(2, 0));

        Assert.Equal(new ConnectionWindow(Time(start), Time(end)), schedule.NextWindow(Time(now)));
    }

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The schedule is asked on the pool, so its answer comes a moment later.</summary>
    private static async Task UntilAsync(MqttClient client, ClientState state, TimeSpan next)
    {
        for (var i = 0; client.Status is var status && (status.State != state || status.NextAttemptIn != next); i++)
        {
            Assert.True(i < 10_000, $"{status}");
            await Task.Delay(1);
        }
    }
}
