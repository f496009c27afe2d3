using System.Text;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Nightjar.Protocol.Topics;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>
/// Whatever is asked, whatever the server sends and however time goes: the engine throws nothing, and once its deadline has passed and it was told, the next one lies ahead. A host
/// that sleeps until the deadline would else run in a circle.
/// </summary>
public sealed class DeadlinePropertyTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    [Fact]
    public void Random_histories_never_leave_a_deadline_behind()
    {
        for (var seed = 0; seed < 600; seed++)
        {
            new History(seed).Run(steps: 150);
        }
    }

    private sealed class History
    {
        private static readonly string[] Filters = ["a/#", "a/b", "+/b", "$share/g/a/b", "c"];
        private static readonly string[] Topics = ["a/b", "a/c", "c", "nobody/hears"];

        private readonly int _seed;
        private readonly Random _random;
        private readonly EngineDriver _driver;
        private readonly List<LocalSubscription> _subscriptions = [];
        private readonly List<string> _log = [];
        private ulong _requests;
        private int _published;

        public History(int seed)
        {
            _seed = seed;
            _random = new Random(seed);
            _driver = new EngineDriver(Settings());
            if (seed % 5 > 0)
            {
                Connect();
            }
        }

        private ClientEngine Engine => _driver.Engine;

        public void Run(int steps)
        {
            for (var i = 0; i < steps; i++)
            {
                try
                {
                    Step();
                    Settle();
                }
                catch (Exception error) when (error is not Xunit.Sdk.XunitException)
                {
                    Assert.Fail($"seed {_seed}: {error} after {Last()}");
                }
            }
        }

        private string Last() => string.Join(", ", _log.TakeLast(12));

        /// <summary>What a host does whose timer is due: an attempt that ends may begin another, so that one call need not be enough; but a few are.</summary>
        private void Settle()
        {
            for (var i = 0; i < 4 && Engine.Deadline <= _driver.Now; i++)
            {
                _driver.AdvanceTo(_driver.Now);
            }

            Assert.True(Engine.Deadline > _driver.Now, $"seed {_seed}: the deadline stays {_driver.Now - Engine.Deadline} ticks behind, {Engine.State}, after {Last()}");
        }

        private void Step()
        {
            var now = _driver.Now;
            switch (_random.Next(26))
            {
                case 0 or 1 or 2 or 3 when Engine.Deadline < long.MaxValue:
                    Do("until the deadline", () => _driver.AdvanceTo(Engine.Deadline));
                    break;
                case 4:
                    Do("time", () => _driver.AdvanceTo(now + _random.NextInt64(40 * Second)));
                    break;
                case 5:
                    Do("connect", () => Engine.Connect(now));
                    break;
                case 6:
                    Do("connect by hand", () => Engine.ConnectByHand(Flip(), now));
                    break;
                case 7 when Flip():
                    Do("update", () => Engine.Update(Settings(), now));
                    break;
                case 8:
                    Do("the network changes", () => Engine.HandleNetworkChange(now));
                    break;
                case 9 when Flip():
                    var final = _random.Next(30) == 0;
                    Do($"end {final}", () => Engine.End(new DisconnectPacket(), final, now));
                    break;
                case 10 when _random.Next(60) == 0:
                    Do("abort", () => Engine.Abort(now));
                    break;
                case 11:
                    Do("throttle", () => Engine.Throttle(_random.NextInt64(1, 3 * Second), now));
                    break;
                case 12 or 13 when _subscriptions.Count < 6:
                    Do("subscribe", () => _subscriptions.Add(_driver.Subscribe(Pick(Filters), (QoS)_random.Next(3), atArrival: Flip(), takesStreams: Flip())));
                    break;
                case 12 or 13:
                    Do("unsubscribe", Unsubscribe);
                    break;
                case 14:
                    Do("ping", () => Engine.Ping(new object(), now));
                    break;
                case 15:
                    Do("request", () => Engine.Requests.TryAdd(++_requests, new object(), Flip() ? long.MaxValue : now + _random.NextInt64(20 * Second)));
                    Engine.ConnectForUse(now);
                    break;
                case 16 when _driver.Arrived.Count > 0:
                    Do("complete", Complete);
                    break;
                case 17 or 18:
                    Do("publish", () => _driver.Publish(Pick(Topics), $"{++_published}", (QoS)_random.Next(3), out _));
                    break;
                case 19 when _driver.Open != 0:
                    Do("lose", () => _driver.Lose(orderly: Flip()));
                    break;
                case 20 when _driver.Open != 0:
                    Do("receive", Receive);
                    break;
                case 21 when _driver.Open != 0:
                    Do("flush", () => _driver.Flush());
                    break;
                default:
                    Connect();
                    break;
            }

            Answer();
            Engine.Requests.Ended.Clear();
        }

        private void Do(string what, Action action)
        {
            _log.Add(what);
            action();
            _driver.Collect();
        }

        private void Connect()
        {
            _driver.Collect();
            if (!_driver.WantsDial && _driver.Open == 0)
            {
                return;
            }

            if (_driver.Open != 0)
            {
                if (Engine.State == ClientState.Connecting && _random.Next(3) > 0)
                {
                    Do("CONNACK", () => Send(ConnAck()));
                }
                else
                {
                    Do("receive", Receive);
                }

                return;
            }

            var dial = _driver.Outputs.OfType<EngineOutput.Dial>().Last();
            if (_random.Next(4) == 0)
            {
                Do("no transport", () => _driver.FailDial(Flip() ? Servers.Refused : Servers.WrongName));
                return;
            }

            Do("dial", () =>
            {
                Engine.HandlePrepared(dial.Attempt, target: null, _driver.Now);
                _driver.Dial();
                _driver.Flush();
            });
        }

        /// <summary>The host answers what it is asked sooner or later.</summary>
        private void Answer()
        {
            if (_driver.Outputs.OfType<EngineOutput.AskDelay>().LastOrDefault() is { } question && Flip())
            {
                Do("delay", () => Engine.HandleDelay(question.Question, _random.Next(10) == 0 ? null : _random.NextInt64(5 * Second), _driver.Now));
            }

            if (_driver.Outputs.OfType<EngineOutput.AskWindow>().LastOrDefault() is { } window && Flip())
            {
                var opens = _driver.Now + _random.NextInt64(-10 * Second, 10 * Second);
                Do("window", () => Engine.HandleWindow(window.Question, opens, opens + _random.NextInt64(20 * Second), _driver.Now));
            }

            _driver.Outputs.RemoveAll(output => output is not (EngineOutput.Dial or EngineOutput.AskDelay or EngineOutput.AskWindow));
        }

        private void Unsubscribe()
        {
            var subscription = _subscriptions[_random.Next(_subscriptions.Count)];
            if (Flip())
            {
                Engine.Unsubscribe(subscription, waiter: null);
            }
            else
            {
                Engine.Unsubscribe([TopicFilter.Parse(Pick(Filters))], new object(), _driver.Now);
            }

            _subscriptions.RemoveAll(s => s == subscription || s.Alive == 0);
        }

        private void Complete()
        {
            var arrival = _driver.Arrived[_random.Next(_driver.Arrived.Count)];
            _driver.Arrived.Remove(arrival);
            _driver.Complete(arrival.Token, Flip() ? ReasonCode.Success : ReasonCode.UnspecifiedError, abandoned: _random.Next(4) == 0, arrival.Subscription);
        }

        private void Receive()
        {
            switch (_random.Next(12))
            {
                case 0:
                    Send(default(PingRespPacket));
                    break;
                case 1 when Engine.Version == MqttVersion.Mqtt5:
                    Send(new DisconnectPacket
                    {
                        ReasonCode = Pick([ReasonCode.ServerBusy, ReasonCode.SessionTakenOver, ReasonCode.UseAnotherServer, ReasonCode.MessageRateTooHigh, ReasonCode.NotAuthorized]),
                        ServerReference = Flip() ? "b.example" : null,
                    });
                    break;
                case 2:
                    Send(ConnAck());
                    break;
                case 3:
                    _driver.Receive([(byte)_random.Next(256), (byte)_random.Next(4), (byte)_random.Next(256), (byte)_random.Next(256)]);
                    break;
                case 4:
                    Send(new SubAckPacket { PacketId = PacketId(), ReasonCodes = [(ReasonCode)_random.Next(3)] });
                    break;
                case 5 or 6:
                    Send(new AckPacket(Pick([PacketType.PubAck, PacketType.PubRec, PacketType.PubComp, PacketType.PubRel]), PacketId(), ReasonCode.Success));
                    break;
                default:
                    ReceiveMessage();
                    break;
            }
        }

        /// <summary>Whole or cut anywhere; the rest comes or does not.</summary>
        private void ReceiveMessage()
        {
            var qos = (QoS)_random.Next(3);
            var packet = PacketWriter.ToArray(
                new PublishPacket
                {
                    Topic = Encoding.UTF8.GetBytes(Pick(Topics)),
                    Payload = new byte[_random.Next(3) == 0 ? 400 : 10],
                    QoS = qos,
                    PacketId = qos == QoS.AtMostOnce ? (ushort)0 : PacketId(),
                    Duplicate = qos != QoS.AtMostOnce && Flip(),
                },
                Engine.Version);
            var cut = _random.Next(packet.Length + 1);
            _driver.Receive(packet.AsSpan(0, cut));
            if (_driver.Open != 0 && _random.Next(5) > 0)
            {
                _driver.Receive(packet.AsSpan(cut));
            }
        }

        private void Send(object packet)
        {
            if (_driver.Open != 0)
            {
                _driver.Receive(PacketWriter.ToArray(packet, Engine.Version));
            }
        }

        private ConnAckPacket ConnAck()
        {
            if (Engine.Version == MqttVersion.Mqtt5 && _random.Next(5) == 0)
            {
                ReasonCode[] refusals = [ReasonCode.ServerBusy, ReasonCode.NotAuthorized, ReasonCode.Banned, ReasonCode.UnsupportedProtocolVersion, ReasonCode.ServerMoved];
                return new ConnAckPacket { ReasonCode = Pick(refusals) };
            }

            return new ConnAckPacket { SessionPresent = Flip(), ReceiveMaximum = Engine.Version == MqttVersion.Mqtt5 ? (ushort)_random.Next(1, 5) : null };
        }

        private EngineSettings Settings()
        {
            var settings = Servers.Settings([.. "abc".Take(_random.Next(1, 4)).Select(name => $"{name}")]);
            return settings with
            {
                Version = _random.Next(4) == 0 ? MqttVersion.Mqtt311 : MqttVersion.Mqtt5,
                Random = _random.NextDouble,
                FirstConnect = (FirstConnect)_random.Next(3),
                Reconnect = _random.Next(6) > 0,
                MinimumDelay = _random.NextInt64(Second),
                StableAfter = _random.NextInt64(20 * Second),
                ReceiveMaximum = _random.Next(1, 8),
                HandlerWarning = Sometimes(),
                HandlerTimeout = Sometimes(),
                MaximumPacketSize = 100,
                MaximumStreamedPacketSize = Flip() ? 300 : 1000,
                OversizedPackets = Flip() ? OversizedPackets.Skip : default,
                Outbox = new OutboxSettings
                {
                    PublishTimeout = Sometimes(),
                    Pace = Flip() ? new PaceSettings() : new PaceSettings { Interval = _random.NextInt64(1, Second), Burst = _random.Next(1, 4), SlowDown = _random.NextInt64(Second) },
                },
                Servers = [.. settings.Servers.Select(server => server with
                {
                    Connect = new ConnectPacket { ClientId = "test", SessionExpiryInterval = 3600, KeepAlive = (ushort)_random.Next(5) },
                    SessionGroup = Flip() ? "all" : null,
                })],
                Retry = new ReconnectSettings
                {
                    Jitter = _random.NextDouble(),
                    Delays = _random.Next(5) == 0 ? [0, Second, 2 * Second] : null,
                    AsksForDelay = _random.Next(5) == 0,
                    PermanentFailures = Flip() ? PermanentFailures.GiveUp : default,
                    Takeover = Flip() ? Takeover.GiveUp : default,
                    FailBackAfter = Sometimes(),
                },
                Connection = new ConnectionSettings
                {
                    PreparesAttempts = Flip(),
                    RenewsCredentials = Flip(),
                    MaximumAge = Sometimes(),
                    IdleTimeout = Sometimes(),
                    HasSchedule = _random.Next(4) == 0,
                    ScheduleJitter = _random.NextInt64(Second),
                },
            };
        }

        private long Sometimes() => Flip() ? long.MaxValue : _random.NextInt64(1, 30 * Second);

        private ushort PacketId() => (ushort)_random.Next(1, 8);

        private bool Flip() => _random.Next(2) == 0;

        private T Pick<T>(T[] from) => from[_random.Next(from.Length)];
    }
}
