using System.Text;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Nightjar.Protocol.Topics;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>In steady state a message costs no allocation, neither way, at no QoS.</summary>
public sealed class AllocationTests
{
    private const int WarmUp = 2_000;
    private const int Measured = 10_000;
    private const int Rounds = 5;

    [Theory]
    [InlineData(QoS.AtMostOnce, 1)]
    [InlineData(QoS.AtLeastOnce, 1)]
    [InlineData(QoS.ExactlyOnce, 1)]
    [InlineData(QoS.AtMostOnce, 100)]
    [InlineData(QoS.AtLeastOnce, 100)]
    [InlineData(QoS.ExactlyOnce, 100)]
    public void Publishing_allocates_nothing(QoS qos, int window)
    {
        var loop = new Loop();

        AssertNothingAllocated(() => loop.Publish(qos, window), window);
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void Publishing_with_aliases_and_a_timeout_allocates_nothing(QoS qos)
    {
        var loop = new Loop(new OutboxSettings { MaximumTopicAliases = 4, PublishTimeout = TimeSpan.TicksPerSecond });

        AssertNothingAllocated(() => loop.Publish(qos, window: 20), messages: 20);
    }

    [Theory]
    [InlineData(QoS.AtMostOnce)]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void Receiving_allocates_nothing(QoS qos)
    {
        var loop = new Loop();

        AssertNothingAllocated(() => loop.Receive(qos, count: 50), messages: 50);
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce, 1)]
    [InlineData(QoS.ExactlyOnce, 1)]
    [InlineData(QoS.AtLeastOnce, 100)]
    [InlineData(QoS.ExactlyOnce, 100)]
    public void Publishing_with_a_store_allocates_nothing(QoS qos, int window)
    {
        var loop = new Loop(hasStore: true);

        AssertNothingAllocated(() => loop.Publish(qos, window), window);
    }

    [Theory]
    [InlineData(QoS.AtLeastOnce)]
    [InlineData(QoS.ExactlyOnce)]
    public void Receiving_with_a_store_allocates_nothing(QoS qos)
    {
        var loop = new Loop(hasStore: true);

        AssertNothingAllocated(() => loop.Receive(qos, count: 50), messages: 50);
    }

    private static void AssertNothingAllocated(Action step, int messages)
    {
        for (var i = 0; i < WarmUp; i += messages)
        {
            step();
        }

        // A collection that other tests cause may empty the shared pools meanwhile; what costs something per message costs it each time.
        var allocated = long.MaxValue;
        for (var round = 0; round < Rounds && allocated > 0; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < Measured; i += messages)
            {
                step();
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, allocated);
    }

    /// <summary>A host that allocates nothing itself.</summary>
    private sealed class Loop
    {
        private readonly ClientEngine _engine;
        private readonly OutputBatch _output = new();
        private readonly InboundBatch _input = new();
        private readonly byte[] _bytes = new byte[64 * 1024];
        private readonly byte[] _topic = Encoding.UTF8.GetBytes("building/kitchen/temperature");
        private readonly object _waiter = new();
        private readonly List<PublishOutcome>[] _ended = [[], []];
        private readonly HandlerOutcome[] _outcomes = new HandlerOutcome[256];
        private readonly CountingLog? _log;
        private ushort _firstId = 1;
        private int _lastWindow;

        public Loop(OutboxSettings? outbox = null, bool hasStore = false)
        {
            _engine = new ClientEngine(ScriptedServer.Settings() with { Outbox = outbox ?? new OutboxSettings(), HasStore = hasStore });
            if (hasStore)
            {
                _log = new CountingLog();
                _engine.Restore(new RestoredSession(), new SessionJournal(_log), 0, DateTimeOffset.UnixEpoch);
            }

            _engine.Subscribe(new ModelSubscription(TopicFilter.Parse("building/#"), QoS.ExactlyOnce), 0);
            _engine.Connect(0);
            _engine.HandleDialed(1);
            Flush();
            Give(PacketWriter.Write(new ConnAckPacket { TopicAliasMaximum = 10 }, MqttVersion.Mqtt5, _bytes));
            Flush();
            Give(PacketWriter.Write(new SubAckPacket { PacketId = 1, ReasonCodes = [ReasonCode.GrantedQoS2] }, MqttVersion.Mqtt5, _bytes));
            _engine.Outputs.Clear();
            _engine.Subscriptions.Answers.Clear();
        }

        public void Publish(QoS qos, int window)
        {
            for (var i = 0; i < window; i++)
            {
                var message = new OutgoingPublish { Topic = _topic, Payload = "21.5"u8, QoS = qos };
                if (qos == QoS.AtMostOnce)
                {
                    Require(_engine.TryBuffer(message, out _) == PublishStart.Buffered);
                }
                else
                {
                    _engine.Accept(message, _waiter, 0);
                }
            }

            Flush();
            if (qos == QoS.AtMostOnce)
            {
                return;
            }

            Require(_engine.Outbound.Session.InFlight == window);
            _firstId = NextId(window);
            Answer(qos == QoS.AtLeastOnce ? PacketType.PubAck : PacketType.PubRec, window);
            Flush();
            if (qos == QoS.ExactlyOnce)
            {
                Answer(PacketType.PubComp, window);
            }

            var ended = _engine.Outbound.TakeEnded(_ended[0]);
            Require(ended.Count == window);
            ended.Clear();
            (_ended[0], _ended[1]) = (_ended[1], ended);
        }

        public void Receive(QoS qos, int count)
        {
            var length = 0;
            for (var i = 1; i <= count; i++)
            {
                var packet = new PublishPacket { Topic = _topic, Payload = "21.5"u8, QoS = qos, PacketId = qos == QoS.AtMostOnce ? (ushort)0 : (ushort)i };
                length += PacketWriter.Write(packet, MqttVersion.Mqtt5, _bytes.AsSpan(length));
            }

            var delivered = Give(length);
            Require(delivered == count);
            if (qos == QoS.AtMostOnce)
            {
                return;
            }

            _engine.Complete(_outcomes.AsSpan(0, delivered), 0);
            Flush();
            if (qos == QoS.ExactlyOnce)
            {
                length = 0;
                for (var i = 1; i <= count; i++)
                {
                    length += PacketWriter.Write(new AckPacket(PacketType.PubRel, (ushort)i), MqttVersion.Mqtt5, _bytes.AsSpan(length));
                }

                Give(length);
                Flush();
            }
        }

        /// <summary>The identifiers of the last messages: they go round, and identifier 1 was the SUBSCRIBE's.</summary>
        private ushort NextId(int window)
        {
            var first = _firstId == 1 ? 2 : _firstId + _lastWindow;
            _lastWindow = window;
            return (ushort)(first > ushort.MaxValue ? first - ushort.MaxValue : first);
        }

        private void Answer(PacketType type, int count)
        {
            var length = 0;
            for (var i = 0; i < count; i++)
            {
                var id = _firstId + i;
                length += PacketWriter.Write(new AckPacket(type, (ushort)(id > ushort.MaxValue ? id - ushort.MaxValue : id)), MqttVersion.Mqtt5, _bytes.AsSpan(length));
            }

            Give(length);
        }

        private int Give(int length)
        {
            var chunk = _bytes.AsSpan(0, length);
            Require(_engine.Inbound!.Parse(chunk, _input) == length);
            _engine.Apply(1, _input, chunk, 0);
            var delivered = 0;
            for (var i = 0; i < _input.Count; i++)
            {
                if (_input[i].Deliver)
                {
                    _outcomes[delivered++] = new HandlerOutcome(_input[i].Token, ReasonCode.Success);
                }
            }

            _input.Clear();
            return delivered;
        }

        // The assertions of the test framework allocate.
        private static void Require(bool holds)
        {
            if (!holds)
            {
                throw new InvalidOperationException("The engine does not do what the measurement needs.");
            }
        }

        private void Flush()
        {
            if (_log is not null)
            {
                _engine.HandleCommitted(_log.Last);
            }

            while (_engine.TakeOutput(_output))
            {
                _output.Release();
                _engine.HandleWritten(1, 0);
            }
        }
    }

    /// <summary>A log that keeps nothing.</summary>
    private sealed class CountingLog : IRecordAppender
    {
        public long Last { get; private set; }

        public long Append(byte type, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second = default) => ++Last;

        public void Obsolete(long upTo)
        {
        }
    }
}
