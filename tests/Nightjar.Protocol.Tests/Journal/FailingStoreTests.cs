using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Journal;

/// <summary>While no record can be written, what depends on one waits, and nothing waits behind it.</summary>
public sealed class FailingStoreTests
{
    private readonly RecordingLog _log = new();

    [Fact]
    public void QoS_0_passes_what_waits_for_the_log_which_leaves_in_its_order_afterwards()
    {
        var server = Connected();
        server.Driver.Publish("t", "before", QoS.AtMostOnce, out _);
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "behind", QoS.AtMostOnce, out _);
        server.Engine.HandleStoreFailed();
        server.Driver.Publish("t", "2", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "passes", QoS.AtMostOnce, out _);

        Assert.Equal(["PUBLISH 0 q0 t before", "PUBLISH 0 q0 t behind", "PUBLISH 0 q0 t passes"], server.Sent());
        Commit(server);
        server.Engine.HandleStoreWentOn();
        Assert.Equal(["PUBLISH 1 q1 t 1"], server.Sent());
        Commit(server);
        Assert.Equal(["PUBLISH 2 q1 t 2"], server.Sent());
    }

    [Fact]
    public void A_store_that_works_again_lets_nothing_go_before_it_is_committed()
    {
        var server = Connected();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Engine.HandleStoreFailed();
        server.Engine.HandleStoreWentOn();

        Assert.Empty(server.Sent());
        Commit(server);
        Assert.Equal(["PUBLISH 1 q1 t 1"], server.Sent());
    }

    [Fact]
    public void A_ping_passes_acknowledgements_and_these_keep_their_order()
    {
        var server = Connected();
        server.Send("t", "1", QoS.ExactlyOnce, 7);
        server.Engine.HandleStoreFailed();
        server.Send("t", "2", QoS.ExactlyOnce, 8);
        server.Engine.Ping(new object(), server.Driver.Now);

        Assert.Equal(["PINGREQ"], server.Sent());
        Commit(server);
        server.Engine.HandleStoreWentOn();
        Assert.Equal(["PUBREC 7", "PUBREC 8"], server.Sent());
    }

    [Fact]
    public void QoS_0_that_passes_uses_no_topic_alias_which_the_server_has_not_heard_of()
    {
        var server = ScriptedServer.Connected(
            ScriptedServer.Settings() with { Outbox = new OutboxSettings { MaximumTopicAliases = 10 } }, new ConnAckPacket { TopicAliasMaximum = 10 }, _log);
        Commit(server);
        server.Driver.Publish("a/long/topic", "1", QoS.AtLeastOnce, out _);
        server.Engine.HandleStoreFailed();
        server.Driver.Publish("a/long/topic", "passes", QoS.AtMostOnce, out _);

        Assert.Equal(["PUBLISH 0 q0 a/long/topic passes"], server.Sent());
    }

    [Fact]
    public void DISCONNECT_leaves_and_what_waits_for_the_log_does_not()
    {
        var server = Connected();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Engine.HandleStoreFailed();

        server.Engine.End(new DisconnectPacket(), final: false, server.Driver.Now);
        server.Driver.AdvanceTo(server.Driver.Now + (10 * TimeSpan.TicksPerSecond));

        Assert.Equal(["DISCONNECT"], server.Sent());
    }

    private ScriptedServer Connected()
    {
        var server = ScriptedServer.Connected(log: _log);
        Commit(server);
        return server;
    }

    private void Commit(ScriptedServer server) => server.Engine.HandleCommitted(_log.Records.Count);
}
