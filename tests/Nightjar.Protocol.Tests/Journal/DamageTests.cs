using System.Text;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Journal;

/// <summary>What is left of a session when records are missing or say nothing.</summary>
public sealed class DamageTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddYears(60);

    [Fact]
    public void What_is_intact_is_recovered_whatever_is_missing()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var log = Play(random);
            var from = random.Next(1, (int)log.Last);
            var to = from + random.Next(1, 12);
            var session = log.Read(sequence => sequence >= from && sequence < to);

            Assert.True(session.IsDamaged, $"seed {seed}");
            Assert.True(session.IsUncertain, $"seed {seed}");
            var ended = log.Records.Where(r => r.Type == (byte)JournalRecord.Ended && !(r.Sequence >= from && r.Sequence < to)).Select(r => Identity(r.Payload)).ToHashSet();
            var intact = log.Records.Where(r => r.Type == (byte)JournalRecord.Message && !(r.Sequence >= from && r.Sequence < to)).Select(r => r.Sequence);
            Assert.Equal(intact.Where(sequence => !ended.Contains(sequence)), session.Messages.Where(m => !m.IsLost).Select(m => m.Record));
            Assert.All(session.Messages, m => Assert.Equal(m.QoS == QoS.ExactlyOnce && m.Base < to, m.Flags.HasFlag(PublishFlags.PossiblyDuplicated)));
            var taken = session.Messages.Where(m => m.PacketId != 0).Select(m => m.PacketId).ToList();
            Assert.Equal(taken.Count, taken.Distinct().Count());

            // What the lost records gave out is not given out again.
            var lost = log.Records.Where(r => r.Type == (byte)JournalRecord.Assigned && r.Sequence >= from && r.Sequence < to).Select(r => PacketId(r.Payload));
            Assert.All(lost, id => Assert.True(taken.Contains(id) || session.ReservedIds.Contains(id) || IsAnswered(log, id), $"seed {seed}: {id} is free"));

            var driver = new EngineDriver(ScriptedServer.Settings(), session, new SessionJournal(log), Now);
            driver.Engine.HandleCommitted(log.Commit());
            driver.Engine.Connect(0);
            driver.Dial();
            driver.Engine.HandleCommitted(log.Commit());
            driver.Flush();
        }
    }

    [Fact]
    public void A_packet_identifier_whose_message_is_lost_stays_taken_and_is_reported()
    {
        var log = new RecordingLog();
        var server = ScriptedServer.Connected(log: log);
        server.Driver.Publish("t", "1", QoS.ExactlyOnce, out _);
        server.Engine.HandleCommitted(log.Records.Count);
        Assert.Equal(["PUBLISH 1 q2 t 1"], server.Sent());
        var message = log.Records.FindIndex(record => record.Type == JournalRecord.Message);

        var reader = new JournalReader();
        for (var i = 0; i < log.Records.Count; i++)
        {
            if (i == message)
            {
                reader.Damage(i, i + 2, isTorn: false);
                continue;
            }

            reader.Record(i + 1, (byte)log.Records[i].Type, log.Records[i].Payload);
        }

        var next = new CrashLog();
        var driver = new EngineDriver(ScriptedServer.Settings(), reader.Complete(), new SessionJournal(next), Now);
        driver.Collect();

        Assert.Equal((ushort)1, Assert.Single(driver.Quarantined).PacketId);
        Assert.Equal(1, driver.Engine.Outbound.Session.InFlight);
        driver.Engine.HandleStoreFailed();
        driver.Engine.HandleStoreWentOn();
        Assert.Equal(1, driver.Engine.Outbound.Session.IdsInUse);
    }

    [Fact]
    public void A_torn_end_is_no_damage()
    {
        var reader = new JournalReader();
        reader.Damage(5, 0, isTorn: true);

        var session = reader.Complete();

        Assert.False(session.IsDamaged);
        Assert.False(session.IsUncertain);
        Assert.Equal(5, session.Last);
    }

    [Fact]
    public void Payloads_that_say_nothing_are_counted_and_harm_nothing()
    {
        var random = new Random(1);
        var log = Play(random);
        for (var round = 0; round < 300; round++)
        {
            var reader = new JournalReader();
            foreach (var (sequence, type, payload) in log.Records)
            {
                var bytes = payload.ToArray();
                for (var i = random.Next(3); i > 0 && bytes.Length > 0; i--)
                {
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                }

                reader.Record(sequence, random.Next(10) == 0 ? (byte)random.Next(256) : type, random.Next(10) == 0 ? bytes[..random.Next(bytes.Length + 1)] : bytes);
            }

            var driver = new EngineDriver(ScriptedServer.Settings(), reader.Complete(), new SessionJournal(new CrashLog()), Now);
            driver.Engine.Connect(0);
            driver.Collect();
        }

        var unknown = new JournalReader();
        unknown.Record(1, 200, "later"u8);
        unknown.Record(2, (byte)JournalRecord.Message, []);
        Assert.Equal(2, unknown.Complete().UnknownRecords);
    }

    [Theory]
    [InlineData(2026, 10, 10)]
    [InlineData(2026, 25, -5)]
    [InlineData(2026, -5, 20)]
    [InlineData(1970, 100, 20)]
    public void Time_to_live_counts_while_no_process_runs_if_the_clock_can_be_believed(int year, int elapsed, int left)
    {
        var accepted = new DateTime(year, 5, 5, 5, 5, 5, DateTimeKind.Utc);
        var message = new RestoredMessage { Record = 1, At = accepted, TimeToLive = 20 * TimeSpan.TicksPerSecond };

        Assert.Equal(left * TimeSpan.TicksPerSecond, message.Remaining(new DateTimeOffset(accepted.AddSeconds(elapsed))));
        Assert.Null(new RestoredMessage { Record = 1, At = accepted }.Remaining(new DateTimeOffset(accepted.AddSeconds(elapsed))));
    }

    private static CrashLog Play(Random random)
    {
        var log = new CrashLog();
        var messages = new MessageStore();
        var journal = new SessionJournal(log);
        journal.Begin(new RestoredSession(), messages, rememberedIds: 100, 0, Now);
        journal.Note(new SessionIdentity { Session = "the server\ntest" });
        var waiting = new Queue<int>();
        var assigned = new List<int>();
        ushort id = 0;
        for (var i = 0; i < 60; i++)
        {
            switch (random.Next(5))
            {
                case < 2:
                    var handle = messages.Add(new OutgoingPublish { Topic = "t"u8, Payload = Encoding.UTF8.GetBytes($"{i}"), QoS = (QoS)random.Next(1, 3) }, waiter: null);
                    journal.Accepted(handle, 0);
                    waiting.Enqueue(handle);
                    break;
                case 2 when waiting.TryDequeue(out var next):
                    journal.Assigned(next, messages[next].PacketId = ++id, messages[next].QoS);
                    messages[next].Stage = MessageStage.Sent;
                    assigned.Add(next);
                    break;
                case 3 when assigned.Count > 0:
                    var done = assigned[random.Next(assigned.Count)];
                    assigned.Remove(done);
                    journal.Ended(done, MessageEnd.Answered, ReasonCode.Success);
                    messages.Remove(done);
                    break;
                default:
                    journal.Arrived((ushort)random.Next(1, 9), new OutgoingPublish { Topic = "in"u8, QoS = (QoS)random.Next(1, 3) }, random.Next(2), true, random.Next(2) == 0, out _);
                    break;
            }
        }

        log.Commit();
        return log;
    }

    /// <summary>The end of its message is on record.</summary>
    private static bool IsAnswered(CrashLog log, ushort id)
    {
        var message = log.Records.First(r => r.Type == (byte)JournalRecord.Assigned && PacketId(r.Payload) == id);
        return log.Records.Any(r => r.Type == (byte)JournalRecord.Ended && Identity(r.Payload) == Identity(message.Payload));
    }

    private static long Identity(byte[] payload) => new RecordReader(payload).Int64();

    private static ushort PacketId(byte[] payload)
    {
        var reader = new RecordReader(payload);
        reader.Int64();
        return reader.UInt16();
    }
}
