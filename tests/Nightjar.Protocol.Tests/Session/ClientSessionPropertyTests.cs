using Nightjar.Protocol.Session;
using Xunit;

namespace Nightjar.Protocol.Tests.Session;

/// <summary>Random publishes, answers, cuts, resumes and lost sessions against a list that says what must be.</summary>
public sealed class ClientSessionPropertyTests
{
    [Fact]
    public void Random_histories_keep_the_invariants()
    {
        for (var seed = 0; seed < 400; seed++)
        {
            new History(seed).Run(steps: 300);
        }
    }

    private sealed class History(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly ClientSession _session = ClientSessionTests.Open(receiveMaximum: 3);
        private readonly List<Exchange> _open = [];
        private readonly HashSet<int> _ended = [];
        private int _window = 3;
        private int _lastHandle;

        public void Run(int steps)
        {
            for (var i = 0; i < steps; i++)
            {
                Step();
                Assert.Equal(_open.Count, _session.InFlight);
                Assert.Equal(_open.Count, _open.Select(e => e.Id).Distinct().Count());
                var onTheWire = _open.Count(e => e.OnTheWire || e.Released);
                Assert.True(onTheWire <= Math.Max(_window, _open.Count(e => e.Released)), $"seed {seed}: {onTheWire} on the wire, {_window} allowed");
            }
        }

        private void Step()
        {
            switch (_random.Next(20))
            {
                case 0:
                    Reconnect();
                    break;
                case 1:
                    LoseSession();
                    break;
                case < 9:
                    Publish();
                    break;
                case < 11:
                    AnswerUnknown();
                    break;
                default:
                    Answer();
                    break;
            }
        }

        private void Publish()
        {
            Resend();
            if (!_session.CanPublish)
            {
                return;
            }

            var qos = (QoS)_random.Next(1, 3);
            var id = _session.Publish(qos, ++_lastHandle, out _);
            Assert.NotEqual(0, id);
            _open.Add(new Exchange(id, _lastHandle, qos) { OnTheWire = true });
        }

        private void Reconnect()
        {
            _window = _random.Next(1, 6);
            _session.Resume(_window);
            _open.ForEach(e => e.OnTheWire = false);
            var releases = new List<ushort>();
            while (_session.TryTakeRelease(out var id))
            {
                releases.Add(id);
            }

            Assert.Equal(_open.Where(e => e.Released).OrderBy(e => e.ReleasedAt).Select(e => e.Id), releases);
            Resend();
        }

        /// <summary>Repeats come in the original order; now and then one is skipped, as a message that the new limits forbid is.</summary>
        private void Resend()
        {
            while (_session.TryPeekResend(out var id, out var handle))
            {
                var exchange = _open.First(e => !e.OnTheWire && !e.Released && !e.Skipped);
                Assert.Equal((exchange.Id, exchange.Handle), (id, handle));
                if (_random.Next(8) == 0)
                {
                    exchange.Skipped = true;
                    _session.Skipped();
                    continue;
                }

                exchange.OnTheWire = true;
                _session.Resent();
            }
        }

        private void LoseSession()
        {
            List<int> released = [], unreleased = [];
            _window = _random.Next(1, 6);
            _session.StartOver(_window, released, unreleased);

            Assert.Equal(_open.Where(e => e.Released).OrderBy(e => e.ReleasedAt).Select(e => e.Handle), released);
            Assert.Equal(_open.Where(e => !e.Released).Select(e => e.Handle), unreleased);
            _open.ForEach(End);
            _open.Clear();
        }

        private void Answer()
        {
            var asked = _open.FindAll(e => e.OnTheWire || e.Released);
            if (asked.Count == 0)
            {
                return;
            }

            var exchange = asked[_random.Next(asked.Count)];
            if (exchange.QoS == QoS.AtLeastOnce)
            {
                Assert.Equal(AckEffect.Completed, _session.HandlePubAck(exchange.Id, out var handle));
                Finish(exchange, handle);
            }
            else if (exchange.Released)
            {
                Assert.Equal(AckEffect.Completed, _session.HandlePubComp(exchange.Id, out var handle));
                Finish(exchange, handle);
            }
            else if (_random.Next(5) == 0)
            {
                Assert.Equal(AckEffect.Completed, _session.HandlePubRec(exchange.Id, ReasonCode.QuotaExceeded, out var handle, out _));
                Finish(exchange, handle);
            }
            else
            {
                Assert.Equal(AckEffect.Released, _session.HandlePubRec(exchange.Id, ReasonCode.Success, out var handle, out _));
                Assert.Equal(exchange.Handle, handle);
                exchange.Released = true;
                exchange.ReleasedAt = ++_lastHandle;
            }
        }

        private void AnswerUnknown()
        {
            var before = _session.UnknownAcks;
            ushort id;
            do
            {
                id = (ushort)_random.Next(1, 65_536);
            }
            while (_open.Exists(e => e.Id == id));

            Assert.Equal(AckEffect.Unknown, _session.HandlePubAck(id, out _));
            Assert.Equal(AckEffect.Unknown, _session.HandlePubRec(id, ReasonCode.Success, out _, out _));
            Assert.Equal(AckEffect.Unknown, _session.HandlePubComp(id, out _));
            Assert.Equal(before + 3, _session.UnknownAcks);
        }

        private void Finish(Exchange exchange, int handle)
        {
            Assert.Equal(exchange.Handle, handle);
            _open.Remove(exchange);
            End(exchange);
        }

        private void End(Exchange exchange) => Assert.True(_ended.Add(exchange.Handle), $"seed {seed}: {exchange.Handle} ended twice");
    }

    private sealed class Exchange(ushort id, int handle, QoS qos)
    {
        private bool _onTheWire;

        public ushort Id => id;

        public int Handle => handle;

        public QoS QoS => qos;

        public bool OnTheWire
        {
            get => _onTheWire;
            set
            {
                _onTheWire = value;
                Skipped = false;
            }
        }

        public bool Skipped { get; set; }

        public bool Released { get; set; }

        public int ReleasedAt { get; set; }
    }
}
