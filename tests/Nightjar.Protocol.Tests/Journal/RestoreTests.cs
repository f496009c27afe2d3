using System.Text;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Journal;

/// <summary>A new process goes on where another one stopped.</summary>
public sealed class RestoreTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddYears(60);

    private readonly RecordingLog _log = new();

    [Fact]
    public void Nothing_is_dialled_before_the_session_is_restored()
    {
        var engine = new ClientEngine(ScriptedServer.Settings() with { HasStore = true });
        engine.Connect(0);
        var early = engine.Accept(new OutgoingPublish { Topic = "t"u8, QoS = QoS.AtLeastOnce }, new object(), 0);

        Assert.Empty(engine.Outputs);
        engine.Restore(new RestoredSession(), new SessionJournal(_log), 0, Now);

        Assert.IsType<EngineOutput.Dial>(Assert.Single(engine.Outputs));
        Assert.Equal(JournalRecord.Message, _log.Types.First());
        Assert.Equal(1, engine.Outbound.Messages[early.Handle].Record);
    }

    [Fact]
    public void Exchanges_go_on_in_their_order_before_what_waited_and_what_this_process_accepted()
    {
        var before = Connected();
        foreach (var payload in (string[])["1", "2", "3", "4"])
        {
            before.Driver.Publish("t", payload, QoS.ExactlyOnce, out _);
        }

        Commit(before);
        before.Sent();
        before.Answer(PacketType.PubRec, 3);
        before.Answer(PacketType.PubRec, 1);
        before.Driver.Lose();
        before.Driver.Publish("t", "5", QoS.AtLeastOnce, out _);

        var after = Next(session => Assert.Equal(5, session.Messages.Count));
        after.Driver.Publish("t", "6", QoS.AtLeastOnce, out _);
        Assert.False(Accept(after, sessionPresent: true).CleanStart);
        Commit(after);

        Assert.Equal(["PUBREL 3", "PUBREL 1", "PUBLISH 2 q2 dup t 2", "PUBLISH 4 q2 dup t 4", "PUBLISH 5 q1 t 5", "PUBLISH 6 q1 t 6"], after.Sent());
    }

    [Fact]
    public void What_the_server_does_not_know_any_more_goes_out_as_new()
    {
        var before = Connected();
        before.Driver.Publish("t", "1", QoS.ExactlyOnce, out _);
        before.Driver.Publish("t", "2", QoS.ExactlyOnce, out _);
        Commit(before);
        before.Sent();
        before.Answer(PacketType.PubRec, 1);

        var after = Next();
        Accept(after, sessionPresent: false);
        Commit(after);

        Assert.Equal(["PUBLISH 1 q2 t 2"], after.Sent());
        Assert.Equal(PublishFlags.PossiblyDuplicated, Read().Messages[0].Flags);
        Assert.Single(Read().Messages);
    }

    [Fact]
    public void A_generated_client_identifier_and_its_session_outlive_the_process()
    {
        var settings = Generated("nj-first");
        var before = ScriptedServer.Connected(settings, log: _log);
        before.Engine.End(new DisconnectPacket(), final: true, 0);
        before.Driver.Collect();
        Commit(before);
        var disconnect = before.SentPackets().OfType<DisconnectPacket>().Single();

        var after = Next(settings: Generated("nj-second"));
        var connect = Accept(after, sessionPresent: true);

        Assert.Null(disconnect.SessionExpiryInterval);
        Assert.Equal("nj-first", connect.ClientId);
        Assert.False(connect.CleanStart);
    }

    [Fact]
    public void A_session_that_was_asked_for_and_not_confirmed_is_uncertain()
    {
        var before = Connected();
        Assert.False(Read().IsUncertain);
        before.Driver.Lose();
        before.Driver.AdvanceTo(before.Engine.RetryAt);
        before.Open();

        Assert.True(Read().IsUncertain);
        before.Send(new ConnAckPacket { ReasonCode = ReasonCode.ServerBusy });
        Assert.False(Read().IsUncertain);
    }

    [Fact]
    public void A_repeated_message_has_the_delivery_id_of_before()
    {
        var before = Connected();
        before.Driver.Subscribe("t");
        before.Send("t", "1", QoS.AtLeastOnce, 7);
        before.Send("t", "2", QoS.ExactlyOnce, 8);
        var ids = before.Driver.Arrived.Select(arrival => arrival.DeliveryId).ToList();

        var after = Next();
        after.Driver.Subscribe("t");
        Accept(after, sessionPresent: true);
        after.Send("t", "1", QoS.AtLeastOnce, 7, duplicate: true);
        after.Send("t", "2", QoS.ExactlyOnce, 8, duplicate: true);
        after.Send("t", "3", QoS.AtLeastOnce, 9);

        Assert.DoesNotContain(0, ids);
        Assert.Equal(ids, after.Driver.Arrived.Take(2).Select(arrival => arrival.DeliveryId));
        Assert.DoesNotContain(after.Driver.Arrived[2].DeliveryId, ids);
    }

    [Fact]
    public void A_stored_message_is_acknowledged_when_it_is_committed_and_handed_on_until_it_is_handled()
    {
        var before = Connected();
        before.Driver.Subscribe("t", stores: true);
        Commit(before);
        before.Sent();
        before.Send("t", "1", QoS.AtLeastOnce, 7);
        before.Send("t", "2", QoS.ExactlyOnce, 8);
        Assert.Empty(before.Sent());
        Commit(before);
        Assert.Equal(["PUBACK 7", "PUBREC 8"], before.Sent());
        before.Engine.Complete([new HandlerOutcome(default, ReasonCode.Success, DeliveryId: before.Driver.Arrived[0].DeliveryId)], 0);

        var after = Next();
        after.Driver.Subscribe("t", stores: true);
        Assert.False(after.Driver.Outputs.OfType<EngineOutput.Replay>().Any());
        after.Engine.Connect(0);
        after.Driver.Collect();

        Assert.Equal([typeof(EngineOutput.Replay), typeof(EngineOutput.Dial)], after.Driver.Outputs.Select(output => output.GetType()));
        Assert.True(after.Engine.TakeReplay(out var replay));
        Assert.Equal("2", Encoding.UTF8.GetString(replay.Payload));
        Assert.Equal(before.Driver.Arrived[1].DeliveryId, replay.DeliveryId);
        Assert.False(after.Engine.TakeReplay(out _));
        after.Engine.Complete([new HandlerOutcome(default, ReasonCode.Success, DeliveryId: replay.DeliveryId)], 0);
        Assert.Empty(Read().Deliveries);
    }

    [Fact]
    public void A_stored_message_that_nobody_wants_is_kept_for_one_who_does()
    {
        var before = Connected();
        before.Driver.Subscribe("t", stores: true);
        before.Send("t", "1", QoS.AtLeastOnce, 7);

        var after = Next();
        after.Engine.Connect(0);
        after.Driver.Collect();
        Assert.False(after.Engine.TakeReplay(out _));
        after.Driver.Subscribe("t", stores: true);

        Assert.Equal(2, after.Driver.Outputs.OfType<EngineOutput.Replay>().Count());
        Assert.True(after.Engine.TakeReplay(out _));
        Assert.False(after.Engine.TakeReplay(out _));
    }

    [Fact]
    public void A_message_that_is_repeated_before_its_acknowledgement_is_stored_once()
    {
        var before = Connected();
        before.Driver.Subscribe("t", stores: true);
        before.Driver.Subscribe("#");
        before.Send("t", "1", QoS.AtLeastOnce, 7);
        Assert.Equal(2, before.Driver.Arrived.Count);

        before.Reconnect();
        before.Send("t", "1", QoS.AtLeastOnce, 7, duplicate: true);

        Assert.Equal(3, before.Driver.Arrived.Count);
        Assert.Single(before.Driver.Arrived.Select(arrival => arrival.DeliveryId).Distinct());
        Assert.Single(_log.Types, JournalRecord.ArrivedStored);
    }

    [Fact]
    public void While_nothing_can_be_written_QoS_0_goes_on_and_the_rest_waits()
    {
        var server = Connected();
        server.Engine.HandleStoreFailed();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Driver.Publish("t", "0", QoS.AtMostOnce, out _);

        Assert.Equal(["PUBLISH 0 q0 t 0"], server.Sent());
        server.Engine.HandleStoreWentOn();
        Assert.False(server.Engine.Outbound.HasOutput);
        Commit(server);
        Assert.True(server.Engine.Outbound.HasOutput);
        Assert.Equal(["PUBLISH 1 q1 t 1"], server.Sent());
    }

    [Fact]
    public void DISCONNECT_leaves_without_what_waits_for_a_log_that_fails()
    {
        var server = Connected();
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Engine.HandleStoreFailed();
        server.Engine.End(new DisconnectPacket(), final: true, 0);
        server.Driver.AdvanceTo(5 * TimeSpan.TicksPerSecond);

        Assert.Equal(["DISCONNECT"], server.Taken());
        Assert.Single(Read().Messages);
    }

    [Fact]
    public void A_client_that_is_closed_leaves_its_messages_to_the_next_process()
    {
        var server = new ScriptedServer(log: _log);
        server.Driver.Publish("t", "1", QoS.AtLeastOnce, out _);
        server.Engine.Abort(0);
        server.Driver.Collect();

        Assert.Equal(PublishEnd.Kept, Assert.Single(server.Driver.Ended).End);
        Assert.Equal("1", Encoding.UTF8.GetString(Read().Contents[Read().Messages[0].Handle].Payload));
    }

    [Fact]
    public void Subscription_identifiers_stay_known_and_are_not_used_again()
    {
        var settings = ScriptedServer.Settings() with { Random = () => 0 };
        var before = ScriptedServer.Connected(settings, log: _log);
        before.Driver.Subscribe(["a/b"]);
        before.Driver.Subscribe(["a/#"]);
        var known = Read().Identifiers;

        var after = Next(settings: settings);

        Assert.NotEmpty(known);
        Assert.All(known, identifier => Assert.NotNull(after.Engine.Identifiers.Find(identifier.Identifier)));
        Assert.Equal(known.Max(identifier => identifier.Identifier), Read().HighestIdentifier);
    }

    private static EngineSettings Generated(string clientId) => ScriptedServer.Settings() with
    {
        Connect = new ConnectPacket { ClientId = clientId, KeepAlive = 60, SessionExpiryInterval = 3600 },
        ClientIdIsGenerated = true,
        CleanStart = null,
    };

    private static ConnectPacket Accept(ScriptedServer server, bool sessionPresent)
    {
        server.Engine.Connect(0);
        return server.Accept(new ConnAckPacket { SessionPresent = sessionPresent });
    }

    private ScriptedServer Connected()
    {
        var server = ScriptedServer.Connected(log: _log);
        Commit(server);
        return server;
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

    private ScriptedServer Next(Action<RestoredSession>? look = null, EngineSettings? settings = null)
    {
        var session = Read();
        look?.Invoke(session);
        return new ScriptedServer(settings, _log, session);
    }
}
