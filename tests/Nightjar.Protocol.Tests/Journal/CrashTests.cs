using System.Globalization;
using System.Text;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Journal;

/// <summary>
/// Processes that are killed at random moments, one after the other, on one log and against one server: nothing that was committed is lost, QoS 2 comes exactly once both ways,
/// everything in order, and nothing was on the wire before its record was committed.
/// </summary>
public sealed class CrashTests
{
    [Fact]
    public void Random_histories_with_crashes_lose_nothing()
    {
        for (var seed = 0; seed < 400; seed++)
        {
            new World(seed, losesSessions: seed % 4 == 3, slack: seed % 3 == 0 ? 0 : 2_000).Run(steps: 150);
        }
    }

    [Fact]
    public void A_crash_after_each_record_loses_nothing()
    {
        for (var at = 1; at < 160; at++)
        {
            new World(seed: 7, losesSessions: false, slack: 500).Run(steps: 150, crashAt: at);
        }
    }

    private sealed class World
    {
        private readonly int _seed;
        private readonly Random _random;
        private readonly bool _losesSessions;
        private readonly long _slack;
        private readonly CrashLog _log = new();
        private readonly CrashBroker _broker;
        private readonly List<(string Payload, QoS QoS, long Record)> _published = [];
        private readonly HashSet<string> _neverStored = [];
        private readonly List<(long DeliveryId, string Payload)> _effects = [];
        private readonly List<Arrival> _arrived = [];
        private readonly HashSet<string> _handled = [];
        private EngineDriver _driver = null!;
        private int _number;
        private int _crashAt = int.MaxValue;

        public World(int seed, bool losesSessions, long slack)
        {
            _seed = seed;
            _random = new Random(seed);
            _losesSessions = losesSessions;
            _slack = slack;
            _broker = new CrashBroker(Require, Accepted);
            Start();
        }

        public void Run(int steps, int crashAt = int.MaxValue)
        {
            _crashAt = crashAt;
            for (var i = 0; i < steps; i++)
            {
                Step();
                if (_log.Records.Count > 0 && _log.Last >= _crashAt)
                {
                    _crashAt = int.MaxValue;
                    Crash();
                }
            }

            for (var i = 0; i < 400 && !(IsAtRest && _broker.IsAtRest); i++)
            {
                Connect();
                Commit(long.MaxValue);
                Flush(long.MaxValue);
                Hand(all: true);
            }

            Require(IsAtRest && _broker.IsAtRest, $"it does not come to rest: {_driver.Engine.Outbound.Queued} queued, {_driver.Engine.Outbound.Session.InFlight} in flight");
            Check();
        }

        private void Require(bool holds, string message) => Assert.True(holds, $"seed {_seed}, crash at {_crashAt}: {message}");

        /// <summary>The server took a message.</summary>
        private void Accepted(string payload)
        {
            var published = _published.Find(p => p.Payload == payload);
            Require(published.Record <= _log.Committed, $"{payload} was on the wire before its record was committed");
        }

        private bool IsAtRest => _driver.Engine.Outbound.IsDrained && _arrived.Count == 0 && _driver.Engine.Ledger.Waiting == 0;

        private void Start()
        {
            var session = _log.Read();
            var settings = ScriptedServer.Settings() with { Connect = new ConnectPacket { ClientId = "test", KeepAlive = 0, SessionExpiryInterval = 3600 }, CleanStart = null };
            _driver = new EngineDriver(settings, session, new SessionJournal(_log, _slack), DateTimeOffset.UnixEpoch.AddYears(60));
            _driver.Engine.HandleCommitted(_log.Committed);
            _driver.Subscribe("d/#");
            _driver.Subscribe("s/#", stores: true);
            _driver.Engine.Connect(0);
            _driver.Collect();
            while (_driver.Engine.TakeReplay(out var replay))
            {
                _arrived.Add(new Arrival(replay.Route.Name, Encoding.UTF8.GetString(replay.Payload), replay.QoS, false, replay.Retain, default, replay.Route.Subscriptions[0])
                {
                    DeliveryId = replay.DeliveryId,
                });
            }
        }

        private void Step()
        {
            switch (_random.Next(24))
            {
                case 0:
                    Crash();
                    break;
                case 1 or 2:
                    _driver.Lose();
                    _broker.Lose();
                    _arrived.RemoveAll(arrival => arrival is { QoS: QoS.AtLeastOnce, Subscription.StoresMessages: false });
                    break;
                case 3 when _losesSessions:
                    _driver.Lose();
                    _broker.Lose();
                    _broker.ForgetSession();
                    break;
                case < 8:
                    Publish();
                    break;
                case < 11:
                    _broker.Publish(_random.Next(2) == 0 ? "d/1" : "s/1", $"d{_number++}", (QoS)_random.Next(1, 3));
                    break;
                case < 15:
                    Commit(_random.Next(8));
                    break;
                case < 18:
                    Hand(all: false);
                    break;
                case 18:
                    // A part of it arrives.
                    Flush(_random.Next(4));
                    break;
                default:
                    Connect();
                    Flush(long.MaxValue);
                    break;
            }
        }

        private void Publish()
        {
            var payload = $"m{_number++}";
            var qos = (QoS)_random.Next(1, 3);
            _driver.Publish("t", payload, qos, out var ticket);
            _published.Add((payload, qos, _driver.Engine.Outbound.Messages[ticket.Handle].Record));
        }

        private void Commit(long count)
        {
            _driver.Engine.HandleCommitted(_log.Commit(count));
            NoteHandled();
            _driver.Collect();
        }

        /// <summary>What is committed as handled must not come again.</summary>
        private void NoteHandled()
        {
            foreach (var (sequence, type, record) in _log.Records)
            {
                var id = new RecordReader(record).UInt16();
                if (sequence <= _log.Committed && type == (byte)JournalRecord.Received && _broker.PayloadOf(id) is { } payload)
                {
                    _handled.Add(payload);
                }
            }
        }

        private void Connect()
        {
            if (_driver.Open != 0)
            {
                return;
            }

            if (!_driver.WantsDial)
            {
                _driver.AdvanceTo(Math.Max(_driver.Now, _driver.Engine.RetryAt == long.MaxValue ? 0 : _driver.Engine.RetryAt));
            }

            if (_driver.WantsDial)
            {
                _driver.Dial();
                _broker.Connected();
            }
        }

        /// <summary>So many packets arrive.</summary>
        private void Flush(long packets)
        {
            if (_driver.Open == 0)
            {
                return;
            }

            var bytes = new List<byte>();
            if (_driver.Take(bytes))
            {
                _driver.Written();
            }

            if (!_broker.Receive([.. bytes], packets))
            {
                _driver.Lose();
                _broker.Lose();
                return;
            }

            if (_broker.TakeOutput() is { Length: > 0 } answers)
            {
                _driver.Receive(answers);
                _arrived.AddRange(_driver.Arrived);
                _driver.Arrived.Clear();
            }
        }

        /// <summary>Handlers get what is committed, and are done.</summary>
        private void Hand(bool all)
        {
            foreach (var arrival in _arrived.ToList())
            {
                if (arrival.DeliveryId > _log.Committed || !(all || _random.Next(2) == 0))
                {
                    continue;
                }

                _arrived.Remove(arrival);
                _effects.Add((arrival.DeliveryId, arrival.Payload));
                var stored = arrival.Subscription.StoresMessages;
                Require(stored || _losesSessions || !_handled.Contains(arrival.Payload), $"{arrival.Payload} came again after it was written down that it is handled");
                var outcome = new HandlerOutcome(stored ? default : arrival.Token, ReasonCode.Success, By: arrival.Subscription, DeliveryId: stored ? arrival.DeliveryId : 0);
                _driver.Engine.Complete([outcome], _driver.Now);
                _driver.Collect();
            }
        }

        private void Crash()
        {
            // Handlers that ran and whose outcome was not told.
            foreach (var arrival in _arrived.Where(arrival => arrival.DeliveryId <= _log.Committed && _random.Next(2) == 0))
            {
                _effects.Add((arrival.DeliveryId, arrival.Payload));
            }

            _arrived.Clear();
            _broker.Lose();
            var before = _log.Last;
            _log.Crash(_random.Next(6));
            NoteHandled();
            var present = _log.Read();
            foreach (var (payload, _, record) in _published)
            {
                if (record <= before && record > 0 && !Survived(record, present))
                {
                    _neverStored.Add(payload);
                }
            }

            Start();
        }

        private bool Survived(long record, RestoredSession session) =>
            session.Messages.Any(message => message.Record == record) || _broker.Accepted.Contains(_published.First(p => p.Record == record).Payload);

        private void Check()
        {
            foreach (var (payload, qos, _) in _published)
            {
                var count = _broker.Accepted.Count(accepted => accepted == payload);
                Require(count > 0 || _neverStored.Contains(payload), $"{payload} was lost");
                Require(count <= 1 || qos == QoS.AtLeastOnce || _losesSessions, $"{payload} arrived {count} times");
            }

            var firsts = _broker.Accepted.Distinct().Select(payload => int.Parse(payload[1..], CultureInfo.InvariantCulture)).ToList();
            Require(firsts.SequenceEqual(firsts.Order()), $"out of order: {string.Join(' ', firsts)}");
            foreach (var group in _effects.GroupBy(effect => effect.DeliveryId))
            {
                Require(group.Select(effect => effect.Payload).Distinct().Count() == 1, $"{string.Join(' ', group)} have one delivery id");
            }

            foreach (var (payload, qos) in _broker.Published)
            {
                var ids = _effects.Where(effect => effect.Payload == payload).Select(effect => effect.DeliveryId).Distinct().Count();
                Require(ids > 0 || _losesSessions, $"{payload} was never handled");
                Require(ids <= 1 || qos == QoS.AtLeastOnce || _losesSessions, $"{payload} was handled as {ids} deliveries");
            }
        }
    }
}
