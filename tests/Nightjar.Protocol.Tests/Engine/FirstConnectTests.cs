using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Nightjar.Protocol.Topics;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>How long the first connection is tried for, and what happens to who waits for it.</summary>
public sealed class FirstConnectTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    [Fact]
    public void FailFast_gives_up_at_the_connect_timeout_with_the_last_failure()
    {
        var server = new ScriptedServer(ScriptedServer.Settings() with { FirstConnect = FirstConnect.FailFast });
        var waiter = server.Driver.Publish("t", "p", QoS.AtLeastOnce, out _);
        var failure = new CloseReason(CloseKind.DialFailed, "connection refused") { Cause = "refused" };
        while (server.Driver.WantsDial)
        {
            server.Driver.FailDial(failure);
            Assert.True(server.Engine.Deadline <= 15 * Second);
            server.Driver.AdvanceTo(server.Engine.Deadline);
        }

        Assert.Equal(15 * Second, server.Driver.Now);
        Assert.Equal(failure with { Server = server.Engine.Server.Name }, server.Driver.Outputs.OfType<EngineOutput.GaveUp>().Single().Reason);
        Assert.Equal([(waiter, PublishEnd.NotSent)], server.Driver.Ended.Select(e => ((object?)e.Waiter, e.End)));
        Assert.Equal(ClientState.Idle, server.Engine.State);
        Assert.Equal(long.MaxValue, server.Engine.Deadline);
    }

    [Fact]
    public void FailFast_gives_up_at_once_on_what_trying_again_does_not_cure()
    {
        var server = new ScriptedServer(ScriptedServer.Settings() with { FirstConnect = FirstConnect.FailFast });
        server.Engine.Connect(0);
        server.Open();

        server.Send(new ConnAckPacket { ReasonCode = ReasonCode.BadUserNameOrPassword });

        Assert.IsType<EngineOutput.GaveUp>(server.Driver.Outputs[^1]);
        Assert.Contains(server.Driver.Outputs, o => o is EngineOutput.AttemptFailed { RetryAt: long.MaxValue });
        Assert.Contains("user name", server.Engine.LastFailure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void After_giving_up_the_next_call_tries_again_with_a_new_deadline()
    {
        var server = new ScriptedServer(ScriptedServer.Settings() with { FirstConnect = FirstConnect.FailFast });
        server.Engine.Connect(0);
        server.Driver.Collect();
        server.Driver.AdvanceTo(15 * Second);
        Assert.IsType<EngineOutput.GaveUp>(server.Driver.Outputs[^1]);

        server.Driver.Now = 100 * Second;
        server.Driver.Publish("t", "p", QoS.AtLeastOnce, out _);

        Assert.Equal(115 * Second, server.Engine.Deadline);
        server.Accept();
        Assert.Equal(["PUBLISH 1 q1 t p"], server.Sent());
    }

    [Fact]
    public void A_wait_for_UNSUBSCRIBE_ends_when_the_client_gives_up()
    {
        var server = new ScriptedServer(ScriptedServer.Settings() with { FirstConnect = FirstConnect.SingleAttempt });
        server.Engine.Unsubscribe([TopicFilter.Parse("a/b")], "waiter", 0);
        server.Driver.Collect();

        server.Driver.FailDial(new CloseReason(CloseKind.DialFailed, "refused"));

        Assert.Equal(CloseKind.DialFailed, Assert.Single(server.Driver.UnsubscribeAnswers).Failure!.Kind);
    }

    [Fact]
    public void A_single_attempt_is_a_single_attempt()
    {
        var server = new ScriptedServer(ScriptedServer.Settings() with { FirstConnect = FirstConnect.SingleAttempt });
        server.Engine.Connect(0);
        server.Driver.Collect();

        server.Driver.FailDial(new CloseReason(CloseKind.DialFailed, "refused"));

        Assert.IsType<EngineOutput.GaveUp>(server.Driver.Outputs[^1]);
    }

    [Fact]
    public void KeepTrying_never_gives_up()
    {
        var server = new ScriptedServer();
        server.Engine.Connect(0);
        server.Driver.Collect();

        for (var i = 0; i < 50; i++)
        {
            server.Driver.FailDial(new CloseReason(CloseKind.DialFailed, "refused") { IsTransient = i % 2 == 0 });
            Assert.InRange(server.Engine.RetryAt - server.Driver.Now, 1, 60 * Second);
            server.Driver.AdvanceTo(server.Engine.RetryAt);
            Assert.True(server.Driver.WantsDial);
        }

        Assert.DoesNotContain(server.Driver.Outputs, o => o is EngineOutput.GaveUp);
    }
}
