using System.Text;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Journal;
using Xunit;

namespace Nightjar.Protocol.Tests.Journal;

/// <summary>The log stays short however long the session lives, and what is written anew is what it was.</summary>
public sealed class CompactionTests
{
    private const long Slack = 8_000;

    private static readonly byte[] Topic = Encoding.UTF8.GetBytes("building/kitchen");

    private readonly CrashLog _log = new();
    private readonly MessageStore _messages = new();

    [Fact]
    public void The_log_stays_short_while_an_old_message_waits()
    {
        var journal = Begin();
        var old = Accept(journal, "old");
        var longest = 0L;
        for (var i = 0; i < 5_000; i++)
        {
            Deliver(journal, Accept(journal, $"{i}"), (ushort)((i % 100) + 1));
            longest = Math.Max(longest, _log.Bytes);
        }

        Assert.InRange(longest, Slack, 4 * Slack);
        var session = _log.Read();
        var left = Assert.Single(session.Messages);
        Assert.Equal(_messages[old].Record, left.Record);
        Assert.Equal("old", Encoding.UTF8.GetString(session.Contents[left.Handle].Payload));
        Assert.False(session.IsDamaged);
    }

    [Fact]
    public void One_call_writes_no_more_than_twice_what_the_calls_since_have_appended()
    {
        var journal = Begin();
        for (var i = 0; i < 200; i++)
        {
            Accept(journal, $"kept {i}");
        }

        var largest = 0L;
        for (var i = 0; i < 3_000; i++)
        {
            var handle = _messages.Add(Message($"{i}"), waiter: null);
            journal.Accepted(handle, 0);
            journal.Ended(handle, MessageEnd.Withdrawn, ReasonCode.Success);
            var before = _log.Last;
            journal.Compact(0);
            largest = Math.Max(largest, _log.Last - before);
            journal.Committed(_log.Commit());
        }

        Assert.InRange(largest, 1, 8);
        Assert.Equal(200, _log.Read().Messages.Count);
    }

    [Fact]
    public void What_is_written_anew_keeps_its_phase_its_order_and_its_identity()
    {
        var journal = Begin();
        var queued = Accept(journal, "queued");
        var assigned = Accept(journal, "assigned");
        var second = Accept(journal, "released second");
        var first = Accept(journal, "released first");
        Assign(journal, assigned, 7);
        Assign(journal, second, 8);
        Assign(journal, first, 9);
        journal.Released(first, 9, ReasonCode.Success);
        journal.Released(second, 8, ReasonCode.NoMatchingSubscribers);
        _messages[second].ReasonCode = ReasonCode.NoMatchingSubscribers;
        journal.Identified(5, "a/+");
        journal.Note(new SessionIdentity { GeneratedClientId = "nj-1", Session = "server\nnj-1", Assigned = [("other", "x")] });
        var arrived = journal.Arrived(3, Message("in", QoS.ExactlyOnce), storing: 0, isAnswered: false, isRepetition: false, out _);
        var stored = journal.Arrived(4, Message("stored", QoS.AtLeastOnce), storing: 1, isAnswered: true, isRepetition: false, out _);
        journal.Received(3);
        var before = _log.Read();

        for (var i = 0; i < 2_000; i++)
        {
            Deliver(journal, Accept(journal, $"{i}"), 20);
        }

        var after = _log.Read();
        Assert.True(_log.Records[0].Sequence > stored);
        Assert.Equal(Describe(before), Describe(after));
        Assert.Equal([_messages[queued].Record, _messages[assigned].Record, _messages[second].Record, _messages[first].Record], after.Messages.Select(m => m.Record));
        Assert.True(after.Messages[3].ReleasedAt < after.Messages[2].ReleasedAt);
        Assert.Equal(arrived, Assert.Single(after.Arrivals, arrival => arrival.PacketId == 3).DeliveryId);
    }

    [Fact]
    public void Ids_of_delivered_messages_are_remembered_up_to_a_number()
    {
        var journal = Begin(rememberedIds: 10);
        for (var i = 0; i < 3_000; i++)
        {
            var handle = _messages.Add(new OutgoingPublish { Topic = Topic, QoS = QoS.AtLeastOnce, Id = Encoding.UTF8.GetBytes($"id {i}") }, waiter: null);
            journal.Accepted(handle, 0);
            Deliver(journal, handle, 5);
        }

        Assert.Equal(Enumerable.Range(2_990, 10).Select(i => $"id {i}"), _log.Read().CompletedIds.TakeLast(10).Select(id => Encoding.UTF8.GetString(id.Completed.Id)));
        Assert.True(_log.Bytes < 4 * Slack);
    }

    private static OutgoingPublish Message(string payload, QoS qos = QoS.ExactlyOnce) => new() { Topic = Topic, Payload = Encoding.UTF8.GetBytes(payload), QoS = qos };

    private static string Describe(RestoredSession session)
    {
        var text = new StringBuilder();
        foreach (var message in session.Messages)
        {
            text.AppendLine($"{Encoding.UTF8.GetString(session.Contents[message.Handle].Payload)} {message.Phase} {message.PacketId} {message.QoS} {message.Flags} {message.ReasonCode}");
        }

        foreach (var arrival in session.Arrivals.OrderBy(arrival => arrival.PacketId))
        {
            text.AppendLine($"{arrival.PacketId} {arrival.QoS} {arrival.DeliveryId} {arrival.IsReceived} {arrival.WasStored}");
        }

        foreach (var delivery in session.Deliveries)
        {
            text.AppendLine($"{delivery.DeliveryId} {Encoding.UTF8.GetString(session.Stored[delivery.Handle].Payload)}");
        }

        text.AppendLine(string.Join(' ', session.Identifiers.Select(known => $"{known.Identifier} {known.Filter}")));
        return text.AppendLine($"{session.Identity?.GeneratedClientId} {session.Identity?.Session} {string.Join(' ', session.Identity?.Assigned ?? [])}").ToString();
    }

    private SessionJournal Begin(int rememberedIds = 100)
    {
        var journal = new SessionJournal(_log, Slack);
        journal.Begin(new RestoredSession(), _messages, rememberedIds, 0, DateTimeOffset.UnixEpoch.AddYears(60));
        return journal;
    }

    private int Accept(SessionJournal journal, string payload)
    {
        var handle = _messages.Add(Message(payload), waiter: null);
        journal.Accepted(handle, 0);
        journal.Compact(0);
        return handle;
    }

    private void Assign(SessionJournal journal, int handle, ushort id)
    {
        _messages[handle].Stage = MessageStage.Sent;
        _messages[handle].PacketId = id;
        journal.Assigned(handle, id, QoS.ExactlyOnce);
    }

    private void Deliver(SessionJournal journal, int handle, ushort id)
    {
        Assign(journal, handle, id);
        var named = _messages[handle].IdLength > 0;
        journal.Ended(handle, MessageEnd.Answered, ReasonCode.Success, named ? _messages[handle].Id.ToArray() : null);
        _messages.Remove(handle);
        journal.Compact(0);
        journal.Committed(_log.Commit());
    }
}
