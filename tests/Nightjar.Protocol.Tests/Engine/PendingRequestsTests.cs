using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>Requests that wait for their answers.</summary>
public sealed class PendingRequestsTests
{
    [Fact]
    public void Each_is_answered_once_and_what_comes_later_is_counted()
    {
        var requests = new PendingRequests(10);
        Assert.True(requests.TryAdd(1, "first", 100));
        Assert.True(requests.TryAdd(2, "second", 100));

        Assert.Equal("second", requests.Answer(2));
        Assert.Null(requests.Answer(2));
        Assert.Equal("first", requests.Answer(1));
        requests.NoteStray();

        Assert.Equal((0, 2L), (requests.Count, requests.Late));
        requests.Advance(100);
        Assert.Empty(requests.Ended);
    }

    [Fact]
    public void They_end_in_the_order_of_their_deadlines()
    {
        var requests = new PendingRequests(10);
        requests.TryAdd(1, "long", 300);
        requests.TryAdd(2, "short", 100);
        requests.TryAdd(3, "for ever", long.MaxValue);
        Assert.Equal(100, requests.Deadline);

        requests.Advance(99);
        Assert.Empty(requests.Ended);
        requests.Advance(300);

        Assert.Equal(["short", "long"], requests.Ended.Select(e => e.Waiter));
        Assert.Equal((1, long.MaxValue), (requests.Count, requests.Deadline));
    }

    [Fact]
    public void More_than_may_wait_and_a_number_that_is_taken_are_refused()
    {
        var requests = new PendingRequests(2);
        Assert.True(requests.TryAdd(1, "first", 100));
        Assert.False(requests.TryAdd(1, "again", 100));
        Assert.True(requests.TryAdd(2, "second", 100));
        Assert.False(requests.TryAdd(3, "third", 100));

        requests.Remove(1);

        Assert.True(requests.TryAdd(3, "third", 100));
    }

    [Fact]
    public void The_deadlines_of_answered_ones_do_not_pile_up()
    {
        var requests = new PendingRequests(10);
        for (var i = 0UL; i < 100_000; i++)
        {
            requests.TryAdd(i, "waiter", 1_000_000 + (long)i);
            requests.Answer(i);
        }

        // What is left is swept with the next one: the deadline of something long over would wake the host for nothing.
        requests.TryAdd(ulong.MaxValue, "last", 5_000_000);
        Assert.True(requests.Kept <= 64, $"{requests.Kept} are kept");
    }

    [Fact]
    public void A_client_that_is_closed_fails_those_that_wait()
    {
        var server = ScriptedServer.Connected();
        server.Engine.Requests.TryAdd(1, "waiter", long.MaxValue);

        server.Engine.Abort(0);

        var ended = Assert.Single(server.Engine.Requests.Ended);
        Assert.Equal(("waiter", CloseKind.Requested), (ended.Waiter, ended.Failure!.Kind));
        Assert.Equal(0, server.Engine.Requests.Count);
    }

    [Fact]
    public void The_engine_wakes_for_a_request_that_is_over()
    {
        var server = ScriptedServer.Connected();
        server.Engine.Requests.TryAdd(1, "waiter", 7);

        Assert.Equal(7, server.Engine.Deadline);
        server.Engine.Advance(7);

        Assert.True(server.Engine.HasNews);
        Assert.Null(Assert.Single(server.Engine.Requests.Ended).Failure);
    }
}
