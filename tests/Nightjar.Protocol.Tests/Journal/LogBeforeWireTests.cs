using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Journal;

/// <summary>The log before the wire: bytes leave only when the record that they depend on is committed.</summary>
public sealed class LogBeforeWireTests
{
    private readonly RecordingLog _log = new();

    [Fact]
    public void A_packet_identifier_is_recorded_before_its_PUBLISH_leaves()
    {
        var server = Connected();
        server.Driver.Publish("t", "0", QoS.AtMostOnce, out _);
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "2", QoS.ExactlyOnce, out _);

        Assert.Equal(["PUBLISH 0 q0 t 0"], server.Sent());
        Assert.Equal([JournalRecord.Message, JournalRecord.Assigned, JournalRecord.Message, JournalRecord.Assigned], _log.Types.TakeLast(4));
        server.Engine.HandleCommitted(_log.Records.Count - 1);
        Assert.Equal(["PUBLISH 1 q1 t 1"], server.Sent());
        Commit(server);
        Assert.Equal(["PUBLISH 2 q2 t 2"], server.Sent());
    }

    [Fact]
    public void PUBREC_is_recorded_before_PUBREL_leaves()
    {
        var server = Connected();
        server.Driver.Publish("t", "1", QoS.ExactlyOnce, out _);
        Commit(server);
        server.Sent();

        server.Answer(PacketType.PubRec, 1);

        Assert.Empty(server.Sent());
        Assert.Equal(JournalRecord.Released, _log.Types.Last());
        Commit(server);
        Assert.Equal(["PUBREL 1"], server.Sent());
    }

    [Fact]
    public void A_received_QoS_2_message_is_recorded_before_PUBREC_and_its_release_before_PUBCOMP()
    {
        var server = Connected();
        server.Send("t", "1", QoS.ExactlyOnce, 7);

        Assert.Empty(server.Sent());
        Assert.Equal(JournalRecord.Received, _log.Types.Last());
        Commit(server);
        Assert.Equal(["PUBREC 7"], server.Sent());

        server.Answer(PacketType.PubRel, 7);
        Assert.Empty(server.Sent());
        Assert.Equal(JournalRecord.ReceivedReleased, _log.Types.Last());
        Commit(server);
        Assert.Equal(["PUBCOMP 7"], server.Sent());
    }

    [Fact]
    public void PUBACK_waits_until_it_is_recorded_that_the_message_is_answered()
    {
        var server = Connected();

        server.Send("t", "1", QoS.AtLeastOnce, 7);

        Assert.Empty(server.Sent());
        Assert.Equal([JournalRecord.Arrived, JournalRecord.Acknowledged], _log.Types.TakeLast(2));
        Commit(server);
        Assert.Equal(["PUBACK 7"], server.Sent());
    }

    [Fact]
    public void What_is_repeated_waits_for_the_records_of_the_connection_before()
    {
        var server = Connected();
        server.Driver.Publish("t", "1", QoS.ExactlyOnce, out _);
        Commit(server);
        server.Sent();
        server.Answer(PacketType.PubRec, 1);
        server.Driver.Publish("t", "2", QoS.AtLeastOnce, out _);
        _log.CommitsConnect = false;
        server.Engine.HandleStoreFailed();
        server.Reconnect();
        server.Engine.HandleStoreWentOn();

        Assert.Empty(server.Sent());
        Commit(server);
        Assert.Equal(["PUBREL 1", "PUBLISH 2 q1 dup t 2"], server.Sent());
    }

    [Fact]
    public void DISCONNECT_does_not_overtake_what_waits_for_the_log()
    {
        var server = Connected();
        server.Send("t", "1", QoS.ExactlyOnce, 7);
        server.Engine.End(new DisconnectPacket(), final: true, 0);
        server.Driver.Collect();

        Assert.Empty(server.Taken());
        Commit(server);
        Assert.Equal(["PUBREC 7", "DISCONNECT"], server.Taken());
    }

    [Fact]
    public void A_lost_session_is_recorded_before_its_messages_are_sent_as_new()
    {
        var server = Connected();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        Commit(server);
        server.Sent();
        server.Reconnect(sessionPresent: false);

        Assert.Equal([JournalRecord.Started, JournalRecord.Assigned], _log.Types.TakeLast(2));
        Assert.Empty(server.Sent());
        Commit(server);
        Assert.Equal(["PUBLISH 2 q1 t 1"], server.Sent());
    }

    [Fact]
    public void QoS_0_behind_an_uncommitted_record_counts_as_unwritten()
    {
        var server = Connected();
        server.Driver.Publish("t", "1", QoS.AtMostOnce, out _);
        server.Driver.Publish("t", "2", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "3", QoS.AtMostOnce, out _);
        Assert.Single(server.Sent());

        server.Driver.Lose();

        Assert.True(server.Driver.Outputs.OfType<EngineOutput.Dropped>().Single().Count >= 1);
    }

    private ScriptedServer Connected()
    {
        var server = ScriptedServer.Connected(log: _log);
        Commit(server);
        return server;
    }

    private void Commit(ScriptedServer server) => server.Engine.HandleCommitted(_log.Records.Count);
}
