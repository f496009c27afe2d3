using System.Text;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Journal;
using Xunit;

namespace Nightjar.Protocol.Tests.Journal;

/// <summary>Whatever happened: without the records that were called obsolete the log tells the same session as with them, at every commit at which a process may end.</summary>
public sealed class ObsoletePropertyTests
{
    [Fact]
    public void What_is_called_obsolete_is_missed_by_nobody()
    {
        var trimmed = 0L;
        for (var seed = 0; seed < 40; seed++)
        {
            trimmed += new World(seed).Run(steps: 300);
        }

        Assert.True(trimmed > 5_000, $"only {trimmed} records were ever obsolete");
    }

    private sealed class World : IRecordAppender
    {
        private const QoS Exactly = QoS.ExactlyOnce;

        private readonly int _seed;
        private readonly Random _random;
        private readonly List<(long Sequence, JournalRecord Type, byte[] Payload)> _records = [];
        private readonly MessageStore _messages = new();
        private readonly SessionJournal _journal;
        private readonly List<int> _queued = [];
        private readonly Dictionary<ushort, int> _assigned = [];
        private readonly Dictionary<ushort, int> _released = [];
        private readonly List<(uint Identifier, string Filter)> _identifiers = [];
        private long _last;
        private long _committed;
        private long _obsolete;
        private int _number;

        public World(int seed)
        {
            _seed = seed;
            _random = new Random(seed);
            _journal = new SessionJournal(this, slack: seed % 3 * 1_000);
            _journal.Begin(new RestoredSession(), _messages, rememberedIds: 5, 0, DateTimeOffset.UnixEpoch.AddYears(60));
            _journal.Note(new SessionIdentity { Session = "server 0" });
        }

        public long Append(byte type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default)
        {
            _records.Add((++_last, (JournalRecord)type, [.. first, .. second]));
            return _last;
        }

        public void Obsolete(long upTo)
        {
            Assert.True(upTo <= _committed, $"seed {_seed}: obsolete up to {upTo}, committed up to {_committed}");
            _obsolete = Math.Max(_obsolete, upTo);
        }

        public long Run(int steps)
        {
            for (var i = 0; i < steps; i++)
            {
                Step();
                _journal.Compact(0);
                if (_random.Next(6) == 0)
                {
                    _committed = _random.Next(2) == 0 ? _last : _committed + _random.NextInt64(_last - _committed + 1);
                    _journal.Committed(_committed);
                    Compare(i);
                }
            }

            return _obsolete;
        }

        private void Compare(int step)
        {
            // All that a killed process leaves; with nothing obsolete, and nothing said of it, only ends end anything.
            var all = Read(0, skipsObsolete: true);
            var left = Read(_obsolete, skipsObsolete: false);
            Assert.True(Describe(all) == Describe(left), $"seed {_seed}, step {step}, obsolete up to {_obsolete}:\n{Describe(all)}\nbecame\n{Describe(left)}");
            if (_committed == _last)
            {
                var remembered = left.CompletedIds.Select(id => id.Completed.Record).ToHashSet();
                Assert.All(_journal.CompletedIds, id => Assert.Contains(id.Record, remembered));
            }
        }

        private RestoredSession Read(long after, bool skipsObsolete)
        {
            var reader = new JournalReader();
            foreach (var (sequence, type, payload) in _records.Where(record => record.Sequence > after && record.Sequence <= _committed))
            {
                if (type != JournalRecord.Obsolete || !skipsObsolete)
                {
                    reader.Record(sequence, (byte)type, payload);
                }
            }

            return reader.Complete();
        }

        private static string Describe(RestoredSession session)
        {
            var text = new StringBuilder();
            foreach (var message in session.Messages)
            {
                text.AppendLine($"{message.Record} {(message.IsLost ? "lost" : Encoding.UTF8.GetString(session.Contents[message.Handle].Payload))} {message.Phase} {message.PacketId} {message.QoS} {message.Flags}");
            }

            text.AppendLine(string.Join(' ', session.Messages.Where(message => message.Phase == MessagePhase.Released).OrderBy(message => message.ReleasedAt).Select(message => message.Record)));
            foreach (var arrival in session.Arrivals.OrderBy(arrival => arrival.PacketId))
            {
                text.AppendLine($"arrival {arrival.PacketId} {arrival.QoS} {arrival.IsReceived} {arrival.WasStored}{(arrival.IsReceived ? 0 : arrival.DeliveryId)}");
            }

            foreach (var delivery in session.Deliveries)
            {
                text.AppendLine($"stored {delivery.DeliveryId} {Encoding.UTF8.GetString(session.Stored[delivery.Handle].Payload)}");
            }

            text.AppendLine(string.Join(' ', session.Identifiers.Select(known => $"{known.Identifier} {known.Filter}").Order(StringComparer.Ordinal)));
            return text.AppendLine($"{session.Identity?.Session} {session.IsUncertain} {session.HighestIdentifier}").ToString();
        }

        private void Step()
        {
            var id = (ushort)_random.Next(1, 12);
            switch (_random.Next(20))
            {
                case < 5:
                    Accept();
                    break;
                case < 8:
                    Assign(id);
                    break;
                case 8:
                    Release(id);
                    break;
                case < 12:
                    Answer(id);
                    break;
                case 12:
                    Arrive(id);
                    break;
                case 13:
                    _journal.Received(id);
                    break;
                case 14:
                    _ = _random.Next(2) == 0 ? _journal.ReceivedReleased(id) : _journal.Acknowledged(id);
                    break;
                case 15:
                    HandleOne();
                    break;
                case 16:
                    Identify();
                    break;
                case 17:
                    Connect();
                    break;
                case 18 when _random.Next(4) == 0:
                    StartOver(isElsewhere: _random.Next(2) == 0);
                    break;
                default:
                    Withdraw();
                    break;
            }
        }

        private void Accept()
        {
            var message = new OutgoingPublish
            {
                Topic = "t"u8,
                Payload = Encoding.UTF8.GetBytes($"{++_number}"),
                QoS = Exactly,
                Id = _number % 3 == 0 ? Encoding.UTF8.GetBytes($"id {_number}") : default,
            };
            var handle = _messages.Add(message, waiter: null);
            _journal.Accepted(handle, 0);
            _queued.Add(handle);
        }

        private void Assign(ushort id)
        {
            if (_queued.Count > 0 && !_assigned.ContainsKey(id) && !_released.ContainsKey(id))
            {
                var handle = _queued[0];
                _queued.RemoveAt(0);
                _messages[handle].Stage = MessageStage.Sent;
                _messages[handle].PacketId = id;
                _journal.Assigned(handle, id, Exactly);
                _assigned[id] = handle;
            }
        }

        private void Release(ushort id)
        {
            if (_assigned.Remove(id, out var handle))
            {
                _journal.Released(handle, id, ReasonCode.Success);
                _released[id] = handle;
            }
        }

        private void Answer(ushort id)
        {
            if (_released.Remove(id, out var handle) || _assigned.Remove(id, out handle))
            {
                End(handle, MessageEnd.Answered);
            }
        }

        private void Withdraw()
        {
            if (_queued.Count > 0)
            {
                var handle = _queued[_random.Next(_queued.Count)];
                _queued.Remove(handle);
                End(handle, MessageEnd.Withdrawn);
            }
        }

        private void End(int handle, MessageEnd end)
        {
            var remembered = end == MessageEnd.Answered && _messages[handle].IdLength > 0 ? _messages[handle].Id.ToArray() : null;
            _journal.Ended(handle, end, ReasonCode.Success, remembered);
            _messages.Remove(handle);
        }

        private void Arrive(ushort id)
        {
            var message = new OutgoingPublish { Topic = "in"u8, Payload = Encoding.UTF8.GetBytes($"{++_number}"), QoS = _random.Next(2) == 0 ? Exactly : QoS.AtLeastOnce };
            _journal.Arrived(id, message, storing: _random.Next(3), isAnswered: _random.Next(2) == 0, isRepetition: _random.Next(3) == 0, out _);
        }

        private void HandleOne()
        {
            var stored = _journal.StoredDeliveries.ToList();
            if (stored.Count > 0)
            {
                _journal.Done(stored[_random.Next(stored.Count)], isLeft: false, by: 0);
            }
        }

        private void Identify()
        {
            if (_identifiers.Count > 0 && _random.Next(2) == 0)
            {
                var known = _identifiers[_random.Next(_identifiers.Count)];
                _identifiers.Remove(known);
                _journal.Unidentified(known.Identifier, known.Filter);
                return;
            }

            var added = ((uint)_random.Next(1, 50), $"f/{_random.Next(5)}");
            if (!_identifiers.Contains(added))
            {
                _identifiers.Add(added);
            }

            _journal.Identified(added.Item1, added.Item2);
        }

        private void Connect()
        {
            var identity = new SessionIdentity { Session = $"server {_random.Next(2)}" };
            switch (_random.Next(4))
            {
                case 0:
                    _journal.Refused();
                    break;
                case 1:
                    var isCertain = _random.Next(2) == 0;
                    _journal.Connected(identity, isCertain);
                    _messages.MarkPossiblyDuplicated(isCertain ? [] : _assigned.Values);
                    break;
                default:
                    _journal.Connecting(identity);
                    break;
            }
        }

        private void StartOver(bool isElsewhere)
        {
            _journal.Started(isElsewhere);
            _identifiers.Clear();
            var again = isElsewhere ? _assigned.Values.Concat(_released.Values).ToList() : [.. _assigned.Values];
            if (!isElsewhere)
            {
                foreach (var handle in _released.Values)
                {
                    End(handle, MessageEnd.Answered);
                }
            }

            again.ForEach(handle => _messages[handle].PacketId = 0);
            _messages.MarkPossiblyDuplicated(again);
            _queued.InsertRange(0, again);
            _assigned.Clear();
            _released.Clear();
            _journal.Note(new SessionIdentity { Session = $"server {_random.Next(2)}" });
        }
    }
}
