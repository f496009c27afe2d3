using System.Text;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Journal;

/// <summary>The outbox of an earlier process: in its order, with the rights that its messages had.</summary>
public sealed class RestoredOrderTests
{
    private readonly RecordingLog _log = new();

    [Fact(DisplayName = "[MQTT5-4.6.0-1] After a restart messages are sent again as they were sent at first, also one that took an older one's place")]
    public void A_replacement_keeps_the_place_that_it_took_after_a_restart()
    {
        var settings = Latest();
        var before = new ScriptedServer(settings, _log);
        Publish(before, "a", "a1");
        Publish(before, "b", "b1");
        Publish(before, "a", "a2");
        var queued = new ScriptedServer(settings, _log, Read());
        Assert.Equal(["PUBLISH 1 q1 a a2", "PUBLISH 2 q1 b b1"], Connect(queued, sessionPresent: false));

        var inFlight = new ScriptedServer(settings, _log, Read());
        Assert.Equal(["PUBLISH 1 q1 dup a a2", "PUBLISH 2 q1 dup b b1"], Connect(inFlight, sessionPresent: true));
    }

    [Fact]
    public void A_value_whose_end_was_not_written_down_gives_way_to_its_replacement()
    {
        var before = new ScriptedServer(Latest(), _log);
        Publish(before, "a", "a1");
        Publish(before, "a", "a2");
        _log.Records.RemoveAt(_log.Records.FindIndex(record => record.Type == JournalRecord.Ended));

        var after = new ScriptedServer(Latest(), _log, Read());
        Publish(after, "a", "a3");

        Assert.Equal(["PUBLISH 1 q1 a a3"], Connect(after, sessionPresent: false));
        Assert.Equal(2, after.Engine.Outbound.Drops.Count);
        Assert.All(after.Engine.Outbound.Drops, drop => Assert.Equal(MessageDropReason.Replaced, drop.Reason));
    }

    [Fact]
    public void What_was_sent_to_a_lost_session_neither_expires_nor_is_taken_back_after_a_restart()
    {
        var before = ScriptedServer.Connected(log: _log);
        before.Engine.Accept(
            new OutgoingPublish { Topic = "t"u8, Payload = "1"u8, QoS = QoS.ExactlyOnce, TimeToLive = 10 * TimeSpan.TicksPerSecond, HasReceipt = true, Id = "i"u8 }, "receipt", 0);
        Commit(before);
        Assert.Single(before.Sent());
        before.Driver.Lose();
        before.Driver.AdvanceTo(before.Engine.RetryAt);
        before.Accept(new ConnAckPacket { ReceiveMaximum = 1 });
        Assert.Equal(JournalRecord.Assigned, _log.Types.Last());
        _log.Records.RemoveAt(_log.Records.Count - 1);

        var after = new ScriptedServer(null, _log, Read());
        Assert.True(after.Engine.Outbound.TryFind("i"u8, out var known));
        after.Engine.Outbound.Attach(known.Handle, "receipt");
        after.Driver.AdvanceTo(3_600 * TimeSpan.TicksPerSecond);

        Assert.False(after.Engine.Outbound.TakeBack(known.Handle, "receipt"));
        Assert.Empty(after.Engine.Outbound.Drops);
        Assert.Contains("PUBLISH 1 q2 t 1", Connect(after, sessionPresent: false));
    }

    [Fact]
    public void A_ping_passes_what_waits_for_a_slow_log()
    {
        var server = ScriptedServer.Connected(log: _log);
        Commit(server);
        server.Send("t", "1", QoS.ExactlyOnce, 7);
        server.Engine.Ping(new object(), server.Driver.Now);

        Assert.Equal(["PINGREQ"], server.Sent());
        Commit(server);
        Assert.Equal(["PUBREC 7"], server.Sent());
    }

    [Fact]
    public void UNSUBSCRIBE_does_not_pass_a_SUBSCRIBE_that_waits_for_the_log()
    {
        var server = ScriptedServer.Connected(log: _log);
        var subscription = server.Driver.Subscribe("a/#");
        server.Engine.HandleStoreFailed();
        server.Engine.Unsubscribe(subscription, new object());

        var early = server.Sent();
        Commit(server);
        server.Engine.HandleStoreWentOn();
        var lines = early.Concat(server.Sent()).Select(line => line.Split(' ')[0]).ToList();

        Assert.DoesNotContain("UNSUBSCRIBE", lines.TakeWhile(line => line != "SUBSCRIBE"));
    }

    private static EngineSettings Latest() => ScriptedServer.Settings() with { Outbox = new OutboxSettings { Overflow = OutboxOverflow.LatestPerTopic } };

    private static void Publish(ScriptedServer server, string topic, string payload)
    {
        var message = new OutgoingPublish { Topic = Encoding.UTF8.GetBytes(topic), Payload = Encoding.UTF8.GetBytes(payload), QoS = QoS.AtLeastOnce };
        Assert.Equal(OutboxAdmission.Admitted, server.Engine.Admit(message, WhenOffline.Queue, server.Driver.Now));
        server.Engine.Accept(message, waiter: null, server.Driver.Now);
    }

    private List<string> Connect(ScriptedServer server, bool sessionPresent)
    {
        server.Engine.Connect(server.Driver.Now);
        server.Accept(new ConnAckPacket { SessionPresent = sessionPresent });
        Commit(server);
        return server.Sent();
    }

    private void Commit(ScriptedServer server) => server.Engine.HandleCommitted(_log.Records.Count);

    private RestoredSession Read()
    {
        var reader = new JournalReader();
        for (var i = 0; i < _log.Records.Count; i++)
        {
            reader.Record(i + 1, (byte)_log.Records[i].Type, _log.Records[i].Payload);
        }

        return reader.Complete();
    }
}
