using System.Buffers.Binary;
using System.Text;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Journal;

/// <summary>The outbox of a new process, with what another one left in it: budgets, overflow, time, ids, and waits that must end.</summary>
public sealed class RestoredOutboxTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddYears(60);

    private readonly RecordingLog _log = new();

    [Fact]
    public void As_many_ids_of_delivered_messages_are_remembered_as_the_option_says()
    {
        var settings = Settings(new OutboxSettings { RememberedIds = 2 });
        var before = Connected(settings);
        foreach (var id in (string[])["a", "b", "c"])
        {
            var ticket = Accept(before, "t", id, id: id);
            Commit(before);
            before.Sent();
            before.Answer(PacketType.PubAck, before.Engine.Outbound.Messages[ticket.Handle].PacketId);
        }

        Assert.Equal(["b", "c"], before.Engine.Outbound.Session.Journal!.CompletedIds.Select(completed => Encoding.UTF8.GetString(completed.Id)));
        var after = Next(settings);
        Assert.Equal(["b", "c"], after.Engine.Outbound.Session.Journal!.CompletedIds.Select(completed => Encoding.UTF8.GetString(completed.Id)));
    }

    [Fact]
    public void An_id_that_was_forgotten_and_enqueued_anew_is_pending_in_the_next_process()
    {
        var settings = Settings(new OutboxSettings { RememberedIds = 1 });
        var before = Connected(settings);
        foreach (var id in (string[])["a", "b"])
        {
            var ticket = Accept(before, "t", id, id: id);
            Commit(before);
            before.Sent();
            before.Answer(PacketType.PubAck, before.Engine.Outbound.Messages[ticket.Handle].PacketId);
        }

        Assert.False(before.Engine.Outbound.TryFind("a"u8, out _));
        Accept(before, "t", "again", id: "a");

        var after = Next(settings);

        Assert.True(after.Engine.Outbound.TryFind("a"u8, out var known));
        Assert.True(known.IsPending);
        Assert.True(after.Engine.Outbound.TryFind("b"u8, out _));
    }

    [Fact]
    public void An_id_that_is_forgotten_does_not_take_a_pending_one_of_the_same_name_with_it()
    {
        var ids = new ApplicationIds(remembered: 1);
        ids.Add("a"u8, 1);
        ids.Deliver("a"u8, ReasonCode.Success, 1, PublishFlags.None);
        ids.Add("a"u8, 2);
        ids.Add("b"u8, 3);
        ids.Deliver("b"u8, ReasonCode.Success, 1, PublishFlags.None);

        Assert.True(ids.TryFind("a"u8, out var known));
        Assert.Equal(2, known.Handle);
    }

    [Fact]
    public void Of_the_values_that_an_earlier_process_left_the_newest_stays_and_a_newer_one_takes_its_place()
    {
        var before = new ScriptedServer(log: _log);
        Accept(before, "t", "1");
        Accept(before, "t", "2");

        var after = Next(Settings(new OutboxSettings { Overflow = OutboxOverflow.LatestPerTopic }));
        Accept(after, "t", "3");
        Open(after, sessionPresent: false);

        Assert.Equal(["PUBLISH 1 q1 t 3"], after.Sent());
    }

    [Fact]
    public void The_oldest_that_an_earlier_process_left_makes_room_and_is_not_there_again()
    {
        var before = new ScriptedServer(log: _log);
        Accept(before, "t", "1");
        Accept(before, "t", "2");
        Accept(before, "t", "3");

        var after = Next(Settings(new OutboxSettings { Overflow = OutboxOverflow.DropOldest, MaximumMessages = 2 }));
        Assert.Equal(OutboxAdmission.Admitted, Offer(after, "t", "4"));

        Assert.Equal(2, after.Engine.Outbound.Drops.Count);
        Assert.Equal(["3", "4"], Payloads(Read()));
    }

    [Fact]
    public void Who_waits_for_room_finds_it_when_what_an_earlier_process_left_is_delivered()
    {
        var before = new ScriptedServer(log: _log);
        Accept(before, "t", "1");
        Accept(before, "t", "2");

        var after = Next(Settings(new OutboxSettings { MaximumMessages = 1 }));
        Assert.Equal(OutboxAdmission.MustWait, Offer(after, "t", "3"));
        after.Engine.Outbound.WaitForRoom("3", Message("t", "3", QoS.AtLeastOnce, timeToLive: 0, id: ""), 0);
        Open(after, sessionPresent: false);
        after.Sent();
        after.Answer(PacketType.PubAck, 1);
        Assert.False(after.Engine.Outbound.CanGrant);
        after.Answer(PacketType.PubAck, 2);

        Assert.True(after.Engine.Outbound.TryGrant(out var waiter));
        Assert.Equal("3", waiter);
    }

    [Fact]
    public void A_message_that_may_have_arrived_on_a_lost_session_is_neither_dropped_nor_withdrawn_by_the_next_process()
    {
        var before = Connected();
        Accept(before, "t", "sent", timeToLive: 100 * Second);
        Commit(before);
        before.Sent();
        before.Driver.Lose();
        before.Driver.AdvanceTo(before.Engine.RetryAt);
        before.Accept(new ConnAckPacket { SessionPresent = false, ReceiveMaximum = 1 });
        Accept(before, "t", "never left", timeToLive: 100 * Second);

        // Killed when the loss of the session is written down, and before the message has an identifier again.
        var cut = _log.Records.FindLastIndex(record => record.Type == JournalRecord.Started) + 1;
        _log.Records.RemoveRange(cut, _log.Records.Count - cut);

        var after = Next(Settings(new OutboxSettings { Overflow = OutboxOverflow.DropOldest, MaximumMessages = 1 }));
        Assert.Equal(OutboxAdmission.Full, Offer(after, "t", "new"));
        after.Driver.AdvanceTo(200 * Second);

        Assert.Equal(1, after.Engine.Outbound.Pending.Count);
        Assert.Equal(["sent"], Payloads(Read()));
    }

    [Fact]
    public void The_server_is_told_the_rest_of_the_messages_own_time_though_the_outbox_allows_less()
    {
        var settings = Settings(new OutboxSettings { MaximumAge = 10 * Second });
        var before = new ScriptedServer(settings, _log);
        Accept(before, "t", "1", timeToLive: 100 * Second);

        var after = Next(settings, Now.AddSeconds(4));
        after.Driver.AdvanceTo(after.Driver.Now + Second);
        Open(after, sessionPresent: false);
        var bytes = new List<byte>();
        after.Driver.Take(bytes);

        Assert.Equal(95u, ExpiryIn(bytes));
    }

    [Fact]
    public void What_is_too_old_for_the_outbox_is_reported_so_by_the_next_process_too()
    {
        var settings = Settings(new OutboxSettings { MaximumAge = 10 * Second });
        var before = new ScriptedServer(settings, _log);
        Accept(before, "t", "1", timeToLive: 100 * Second, id: "a");

        var after = Next(settings, Now.AddSeconds(11));
        after.Driver.AdvanceTo(after.Driver.Now);

        Assert.Equal(MessageDropReason.TooOld, Assert.Single(after.Engine.Outbound.Drops).Reason);
    }

    [Fact]
    public void A_message_whose_time_was_over_between_two_processes_is_reported_once_and_its_id_is_free()
    {
        var before = new ScriptedServer(log: _log);
        Accept(before, "t", "1", timeToLive: 5 * Second, id: "a");

        var after = Next(utcNow: Now.AddSeconds(6));
        Assert.True(after.Engine.Deadline <= after.Driver.Now);
        after.Driver.AdvanceTo(after.Driver.Now);
        after.Driver.AdvanceTo(after.Driver.Now);

        Assert.Equal("a", Assert.Single(after.Engine.Outbound.Drops).Id);
        Assert.Equal(MessageDropReason.Expired, after.Engine.Outbound.Drops[0].Reason);
        Assert.False(after.Engine.Outbound.TryFind("a"u8, out _));
        Assert.Equal(0, after.Engine.Outbound.Pending.Count);
        Assert.Equal(1, after.Engine.Counters.OutboxDropped[(int)MessageDropReason.Expired]);
        Assert.Empty(Read().Messages);
    }

    [Fact]
    public void The_longest_time_to_live_there_is_does_not_end_with_the_process()
    {
        var before = new ScriptedServer(log: _log);
        Accept(before, "t", "1", timeToLive: long.MaxValue);

        var after = new ClientEngine(ScriptedServer.Settings() with { HasStore = true });
        after.Restore(Read(), new SessionJournal(_log), 5, Now);
        after.Advance(5);

        Assert.Empty(after.Outbound.Drops);
        Assert.Equal(1, after.Outbound.Pending.Count);
    }

    [Fact]
    public void A_lost_content_keeps_nobody_waiting_for_an_empty_outbox()
    {
        var before = Connected();
        Accept(before, "t", "lost");
        Accept(before, "t", "kept");
        Commit(before);
        before.Sent();

        var after = Next(isLost: (_, type) => type == JournalRecord.Message && !_lostOne && (_lostOne = true));
        Assert.False(after.Engine.Outbound.Drain("drain"));
        Open(after, sessionPresent: true);
        Assert.Equal(["PUBLISH 2 q1 dup t kept"], after.Sent());
        Assert.False(after.Engine.Outbound.HasDrained);
        after.Answer(PacketType.PubAck, 2);

        Assert.True(after.Engine.Outbound.HasDrained);
        Assert.True(after.Engine.Outbound.Session.InFlight > 0);
    }

    [Fact]
    public void DISCONNECT_does_not_wait_for_what_this_connection_cannot_send_again()
    {
        var server = Connected();
        Accept(server, "t", "a message that is too large for the server that comes next");
        Commit(server);
        server.Sent();
        server.Reconnect(answer: new ConnAckPacket { SessionPresent = true, MaximumPacketSize = 30 });
        server.Sent();
        Assert.Single(server.Driver.Quarantined);

        server.Engine.End(new DisconnectPacket(), final: false, server.Driver.Now);

        Assert.Equal(["DISCONNECT"], server.Taken());
        Assert.Equal(["a message that is too large for the server that comes next"], Payloads(Read()));
    }

    [Fact]
    public void A_released_message_whose_session_is_gone_is_remembered_though_its_end_was_not_written()
    {
        var before = Connected();
        Accept(before, "t", "1", QoS.ExactlyOnce, id: "a");
        Commit(before);
        before.Sent();
        before.Answer(PacketType.PubRec, 1);
        before.Reconnect(sessionPresent: false);
        var cut = _log.Records.FindLastIndex(record => record.Type == JournalRecord.Started) + 1;
        _log.Records.RemoveRange(cut, _log.Records.Count - cut);

        var after = Next();

        Assert.True(after.Engine.Outbound.TryFind("a"u8, out var known));
        Assert.False(known.IsPending);
        Assert.Equal(0, after.Engine.Outbound.Pending.Count);
    }

    [Fact]
    public void Whoever_stops_while_it_moves_to_another_server_goes_on_with_the_session_of_neither()
    {
        var settings = ScriptedServer.Settings();
        var before = Connected(settings);
        Accept(before, "t", "1", QoS.ExactlyOnce);
        Commit(before);
        before.Sent();
        before.Engine.Update(settings with { Connect = new ConnectPacket { ClientId = "other", KeepAlive = 60, SessionExpiryInterval = 3600 } }, 0);
        before.Driver.AdvanceTo(10 * Second);
        before.Sent();
        before.Accept();
        var cut = _log.Records.FindLastIndex(record => record.Type == JournalRecord.Started) + 1;
        Assert.Contains(_log.Types.Skip(cut), type => type == JournalRecord.Identity);
        _log.Records.RemoveRange(cut, _log.Records.Count - cut);

        var after = Next(settings);
        after.Engine.Connect(0);

        // The server that was left may have this packet identifier in use for another message.
        Assert.True(after.Accept().CleanStart);
        Commit(after);
        Assert.Equal(["PUBLISH 1 q2 t 1"], after.Sent());
    }

    private bool _lostOne;

    private static EngineSettings Settings(OutboxSettings outbox) => ScriptedServer.Settings() with { Outbox = outbox };

    private static MessageTicket Accept(ScriptedServer server, string topic, string payload, QoS qos = QoS.AtLeastOnce, long timeToLive = 0, string id = "")
    {
        var ticket = server.Engine.Accept(Message(topic, payload, qos, timeToLive, id), payload, server.Driver.Now);
        server.Driver.Collect();
        return ticket;
    }

    private static OutboxAdmission Offer(ScriptedServer server, string topic, string payload)
    {
        var message = Message(topic, payload, QoS.AtLeastOnce, 0, "");
        var admission = server.Engine.Admit(message, WhenOffline.Queue, server.Driver.Now);
        if (admission == OutboxAdmission.Admitted)
        {
            server.Engine.Accept(message, payload, server.Driver.Now);
        }

        return admission;
    }

    private static OutgoingPublish Message(string topic, string payload, QoS qos, long timeToLive, string id) => new()
    {
        Topic = Encoding.UTF8.GetBytes(topic),
        Payload = Encoding.UTF8.GetBytes(payload),
        Properties = OutboxScene.Expiry(Math.Min(timeToLive, int.MaxValue * Second)),
        QoS = qos,
        TimeToLive = timeToLive,
        Id = Encoding.UTF8.GetBytes(id),
    };

    private static uint ExpiryIn(List<byte> publish)
    {
        // Fixed header, topic "t", packet identifier, length of the properties, and the one property.
        var at = 2 + 3 + 2 + 1;
        Assert.Equal(2, publish[at]);
        return BinaryPrimitives.ReadUInt32BigEndian(publish.ToArray().AsSpan(at + 1));
    }

    private static List<string> Payloads(RestoredSession session) => [.. session.Messages.Select(message => Encoding.UTF8.GetString(session.Contents[message.Handle].Payload))];

    private void Open(ScriptedServer server, bool sessionPresent)
    {
        server.Engine.Connect(server.Driver.Now);
        server.Accept(new ConnAckPacket { SessionPresent = sessionPresent });
        Commit(server);
    }

    private ScriptedServer Connected(EngineSettings? settings = null)
    {
        var server = ScriptedServer.Connected(settings, log: _log);
        Commit(server);
        return server;
    }

    private void Commit(ScriptedServer server) => server.Engine.HandleCommitted(_log.Records.Count);

    private RestoredSession Read(Func<long, JournalRecord, bool>? isLost = null)
    {
        var reader = new JournalReader();
        for (var i = 0; i < _log.Records.Count; i++)
        {
            if (isLost?.Invoke(i + 1, _log.Records[i].Type) == true)
            {
                reader.Damage(i, i + 2, isTorn: false);
                continue;
            }

            reader.Record(i + 1, (byte)_log.Records[i].Type, _log.Records[i].Payload);
        }

        return reader.Complete();
    }

    private ScriptedServer Next(EngineSettings? settings = null, DateTimeOffset? utcNow = null, Func<long, JournalRecord, bool>? isLost = null) =>
        new(settings, _log, Read(isLost), utcNow);
}
