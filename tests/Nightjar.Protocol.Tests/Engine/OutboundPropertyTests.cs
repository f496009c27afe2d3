using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>
/// Random publishes, withdrawals, answers, cuts, resumed and lost sessions, through the engine: every wait ends exactly once, no identifier is used twice at a time, the window holds,
/// and in the end nothing is left.
/// </summary>
public sealed class OutboundPropertyTests
{
    [Fact]
    public void Random_histories_end_every_wait_once()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            new History(seed).Run(steps: 120);
        }
    }

    private sealed class History
    {
        private readonly int _seed;
        private readonly Random _random;
        private readonly ScriptedServer _server;
        private readonly Dictionary<string, MessageTicket> _waiting = new(StringComparer.Ordinal);
        private readonly HashSet<string> _withdrawn = new(StringComparer.Ordinal);
        private readonly Dictionary<ushort, (string Payload, bool Released)> _onTheWire = [];
        private int _receiveMaximum = 3;
        private int _published;
        private int _ended;

        public History(int seed)
        {
            _seed = seed;
            _random = new Random(seed);
            var outbox = new OutboxSettings { MaximumTopicAliases = seed % 3, PublishTimeout = seed % 2 == 0 ? long.MaxValue : 20 * TimeSpan.TicksPerSecond };
            _server = ScriptedServer.Connected(ScriptedServer.Settings() with { Outbox = outbox }, Answer(sessionPresent: false));
        }

        public void Run(int steps)
        {
            for (var i = 0; i < steps; i++)
            {
                Step();
                Check();
            }

            // In the end the server answers everything.
            for (var i = 0; i < 1_000 && !_server.Engine.Outbound.IsDrained; i++)
            {
                Read();
                AnswerOne(refuse: false);
                Check();
            }

            Assert.True(_server.Engine.Outbound.IsDrained, $"seed {_seed}: something is left");
            Assert.True(_waiting.Count == 0, $"seed {_seed}: {string.Join(' ', _waiting.Keys)} still wait");
            Assert.Equal(0, _server.Engine.Outbound.Session.UnknownAcks);
        }

        private void Step()
        {
            switch (_random.Next(20))
            {
                case 0:
                    Reconnect(sessionPresent: true);
                    break;
                case 1:
                    Reconnect(sessionPresent: false);
                    break;
                case < 8:
                    Publish();
                    break;
                case 8:
                    Withdraw();
                    break;
                case 9:
                    _server.Driver.AdvanceTo(_server.Driver.Now + (_random.Next(10) * TimeSpan.TicksPerSecond));
                    Read();
                    _server.Send(default(PingRespPacket));
                    break;
                case < 14:
                    Read();
                    break;
                default:
                    AnswerOne(refuse: _random.Next(6) == 0);
                    break;
            }
        }

        private void Publish()
        {
            var payload = $"m{_published++}";
            var topic = _random.Next(2) == 0 ? "t" : $"building/{_random.Next(4)}";
            _server.Driver.Publish(topic, payload, (QoS)_random.Next(1, 3), out var ticket, payload);
            _waiting.Add(payload, ticket);
        }

        private void Withdraw()
        {
            if (_waiting.Count == 0)
            {
                return;
            }

            var (payload, ticket) = _waiting.ElementAt(_random.Next(_waiting.Count));
            Assert.True(_server.Engine.Outbound.Withdraw(ticket, payload, out var withdrawn), $"seed {_seed}: {payload} has no wait");
            _waiting.Remove(payload);
            if (withdrawn)
            {
                _withdrawn.Add(payload);
            }
        }

        private ConnAckPacket Answer(bool sessionPresent)
        {
            _receiveMaximum = _random.Next(1, 5);
            return new ConnAckPacket { SessionPresent = sessionPresent, ReceiveMaximum = (ushort)_receiveMaximum, TopicAliasMaximum = 2 };
        }

        private void Reconnect(bool sessionPresent)
        {
            if (_random.Next(2) == 0)
            {
                Read();
            }

            _onTheWire.Clear();
            _server.Reconnect(sessionPresent, Answer(sessionPresent));
        }

        private void Read()
        {
            foreach (var line in _server.Sent())
            {
                var words = line.Split(' ');
                if (words[0] == "PUBLISH")
                {
                    Assert.DoesNotContain(words[^1], _withdrawn);
                    Assert.True(_onTheWire.TryAdd(ushort.Parse(words[1]), (words[^1], Released: false)), $"seed {_seed}: {line} uses an identifier in use");
                }
                else if (words[0] == "PUBREL")
                {
                    _onTheWire[ushort.Parse(words[1])] = (words[1], Released: true);
                    Assert.Equal(2, words.Length);
                }
            }

            Assert.True(_onTheWire.Values.Count(m => !m.Released) <= _receiveMaximum, $"seed {_seed}: more than {_receiveMaximum} on the wire");
        }

        private void AnswerOne(bool refuse)
        {
            if (_onTheWire.Count == 0)
            {
                return;
            }

            var (id, message) = _onTheWire.ElementAt(_random.Next(_onTheWire.Count));
            if (message.Released)
            {
                _onTheWire.Remove(id);
                _server.Answer(PacketType.PubComp, id);
                return;
            }

            // Which QoS it has, the session knows: it takes only the right answer.
            var unknown = _server.Engine.Outbound.Session.UnknownAcks;
            var isQoS2 = _server.Engine.Outbound.Session.Publishes.Single(p => p.PacketId == id).ExactlyOnce;
            if (!isQoS2 || refuse)
            {
                _onTheWire.Remove(id);
            }

            _server.Answer(isQoS2 ? PacketType.PubRec : PacketType.PubAck, id, refuse ? ReasonCode.QuotaExceeded : ReasonCode.Success);
            Assert.Equal(unknown, _server.Engine.Outbound.Session.UnknownAcks);
            Read();
        }

        private void Check()
        {
            for (; _ended < _server.Driver.Ended.Count; _ended++)
            {
                var payload = (string)_server.Driver.Ended[_ended].Waiter;
                Assert.True(_waiting.Remove(payload), $"seed {_seed}: {payload} ended and did not wait");
            }
        }
    }
}
