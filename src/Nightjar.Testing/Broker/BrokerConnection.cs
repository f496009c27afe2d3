using System.Buffers;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Testing.Broker;

/// <summary>
/// One client's network connection: reads and decodes, and writes what the broker has for the client. What packets mean is the
/// <see cref="Conversation"/>'s business.
/// </summary>
internal sealed class BrokerConnection
{
    private const int FirstBufferLength = 4096;

    // One read can then take what a busy client sends in a burst.
    private const int BusyBufferLength = 64 * 1024;

    // How long a client may take to close after the broker said goodbye.
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(5);

    private readonly BrokerState _state;
    private readonly Stream _stream;
    private readonly PacketDecoder _decoder;
    private readonly Conversation _conversation;
    private readonly OutgoingBytes _output;
    private readonly OutgoingAliases _aliases = new();
    private readonly ArrayBufferWriter<byte> _properties = new();
    private readonly TaskCompletionSource _outputEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private byte[] _buffer = new byte[FirstBufferLength];
    private int _count;
    private volatile bool _closing;
    private volatile bool _paused;
    private long _lastHeard;
    private uint _maximumPacketSize = uint.MaxValue;
    private ITimer? _keepAlive;
    private ITimer? _linger;

    public BrokerConnection(BrokerState state, Stream stream)
    {
        _state = state;
        _stream = stream;

        // Until a CONNECT says otherwise: a client of 5.0 has then said so itself.
        _decoder = new PacketDecoder(PacketSender.Client, MqttVersion.Mqtt311, state.Options.MaximumPacketSize ?? int.MaxValue);
        _conversation = new Conversation(state, this);
        _output = new OutgoingBytes(stream, OnWritten, OnOutputEnded);
    }

    /// <summary>Null before CONNECT is accepted and after the connection lost its session. Guarded by the broker's lock.</summary>
    public BrokerSession? Session { get; set; }

    public MqttVersion Version => _decoder.Version;

    /// <summary>How many messages of QoS 1 and 2 the client takes at once.</summary>
    public int ReceiveMaximum { get; private set; } = ushort.MaxValue;

    /// <summary>
    /// Whether more should wait for now: the client does not read. The session is then pumped again by the next flush. Under the broker's lock.
    /// </summary>
    public bool IsFull
    {
        get
        {
            if (_output.Waiting < _state.Options.MaximumQueuedBytes)
            {
                return false;
            }

            // Looks again behind the flag: a flush that ends in between would not see it.
            _paused = true;
            _paused = _output.Waiting >= _state.Options.MaximumQueuedBytes;
            return _paused;
        }
    }

    /// <summary>Serves the client until the connection ends.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (await FillAsync().ConfigureAwait(false))
            {
                DecodeAll();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The client vanished, or the broker cut the connection.
        }

        lock (_state.Gate)
        {
            _state.Sessions.Detach(this);
        }

        StartLinger();
        _output.Complete();
        _state.Changed.Raise();
        await _outputEnded.Task.ConfigureAwait(false);
        if (_linger is not null)
        {
            await _linger.DisposeAsync().ConfigureAwait(false);
        }

        if (_keepAlive is not null)
        {
            await _keepAlive.DisposeAsync().ConfigureAwait(false);
        }

        await _stream.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>What the client's CONNECT says about this connection.</summary>
    public void Accept(ConnectPacket connect, ushort keepAliveSeconds)
    {
        ReceiveMaximum = connect.ReceiveMaximum ?? ushort.MaxValue;
        _maximumPacketSize = connect.MaximumPacketSize ?? uint.MaxValue;
        _aliases.Maximum = _state.Options.UseTopicAliases ? connect.TopicAliasMaximum ?? 0 : 0;
        if (keepAliveSeconds > 0)
        {
            // One and a half times the keep-alive [MQTT5-3.1.2-22].
            var patience = TimeSpan.FromSeconds(keepAliveSeconds * 1.5);
            _keepAlive = _state.Options.TimeProvider.CreateTimer(_ => CheckKeepAlive(patience), null, patience, Timeout.InfiniteTimeSpan);
        }
    }

    public void Send(in AckPacket packet) => _output.Add(packet, Version);

    public void Send(object packet) => _output.Add(packet, Version);

    /// <summary>A refusal may have to be written in a version that the client did not ask for.</summary>
    public void Send(object packet, MqttVersion version) => _output.Add(packet, version);

    /// <summary>False if it expired, or is larger than the client takes.</summary>
    public bool TrySend(in Delivery delivery, ushort packetId, bool duplicate)
    {
        var message = delivery.Message;
        var packet = new PublishPacket
        {
            QoS = delivery.QoS,
            Retain = delivery.Retain,
            Duplicate = duplicate,
            PacketId = packetId,
            Topic = message.Topic,
            Properties = Version == MqttVersion.Mqtt5 ? PropertiesFor(delivery) : default,
            Payload = message.Payload,
        };

        if (PacketWriter.GetSize(packet, Version) is var size && (size < 0 || size > _maximumPacketSize))
        {
            return false;
        }

        if (_aliases.Maximum == 0)
        {
            _output.Add(packet, Version);
            return true;
        }

        var alias = _aliases.For(message.TopicText, out var known);
        var aliased = new PublishPacket
        {
            QoS = packet.QoS,
            Retain = packet.Retain,
            Duplicate = packet.Duplicate,
            PacketId = packet.PacketId,
            Topic = known ? default : packet.Topic,
            TopicAlias = alias,
            Properties = packet.Properties,
            Payload = packet.Payload,
        };

        // With the topic and a new alias it is a little larger than without.
        _output.Add(PacketWriter.GetSize(aliased, Version) > _maximumPacketSize ? packet : aliased, Version);
        return true;
    }

    /// <summary>
    /// Says goodbye (in 5.0 with a DISCONNECT, if a reason is given), writes what is gathered and half-closes; what still comes in is dropped. A client
    /// that does not close in return is cut.
    /// </summary>
    public void Close(ReasonCode? reason = null, string? text = null)
    {
        if (_closing)
        {
            return;
        }

        if (reason is { } code && Version == MqttVersion.Mqtt5)
        {
            // The text goes only where it fits [MQTT5-3.14.2-3].
            var full = new DisconnectPacket { ReasonCode = code, ReasonString = text };
            Send(PacketWriter.GetSize(full, Version) <= _maximumPacketSize ? full : new DisconnectPacket { ReasonCode = code });
        }

        _closing = true;
        StartLinger();
        _output.Complete();
    }

    /// <summary>Cuts the connection.</summary>
    public void Abort()
    {
        _closing = true;
        _stream.Dispose();
    }

    private ReadOnlySpan<byte> PropertiesFor(in Delivery delivery)
    {
        var seconds = delivery.Message.SecondsLeft(_state.Now);
        if (seconds is null && delivery.Identifiers.Length == 0)
        {
            return delivery.Message.Properties;
        }

        _properties.ResetWrittenCount();
        _properties.Write(delivery.Message.Properties);
        var writer = new PropertyWriter(_properties);
        if (seconds is { } value)
        {
            writer.Write(PropertyId.MessageExpiryInterval, value);
        }

        foreach (var identifier in delivery.Identifiers)
        {
            writer.Write(PropertyId.SubscriptionIdentifier, identifier);
        }

        return _properties.WrittenSpan;
    }

    private async ValueTask<bool> FillAsync()
    {
        if (_count == _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(BusyBufferLength, _buffer.Length * 2));
        }

        var count = await _stream.ReadAsync(_buffer.AsMemory(_count)).ConfigureAwait(false);
        Interlocked.Exchange(ref _lastHeard, _state.Now.Ticks);
        _count += count;
        return count > 0;
    }

    private void DecodeAll()
    {
        var start = 0;
        while (!_closing)
        {
            var status = _decoder.Decode(_buffer.AsSpan(start, _count - start), bufferFull: false, out var packet, out var consumed);
            start += consumed;
            if (status == DecodeStatus.NeedMore)
            {
                break;
            }

            if (status == DecodeStatus.Packet)
            {
                Handle(packet);
            }
            else
            {
                _conversation.Reject(_decoder.Violation.ReasonCode, _decoder.Violation.ToString());
            }
        }

        if (_closing)
        {
            _count = 0;
            return;
        }

        _buffer.AsSpan(start, _count - start).CopyTo(_buffer);
        _count -= start;
    }

    private void Handle(in DecodedPacket packet)
    {
        try
        {
            _conversation.Handle(packet);
        }
        catch (Exception e)
        {
            // A callback of the test's threw. The client, which is in the same test, is the one to tell.
            _conversation.Reject(ReasonCode.ImplementationSpecificError, $"The broker's options threw {e.GetType().Name}: {e.Message}");
        }
    }

    private void CheckKeepAlive(TimeSpan patience)
    {
        lock (_state.Gate)
        {
            var left = TimeSpan.FromTicks(Interlocked.Read(ref _lastHeard)) + patience - _state.Now;
            if (left > TimeSpan.Zero)
            {
                _keepAlive?.Change(TimeSpan.FromMilliseconds(Math.Ceiling(left.TotalMilliseconds)), Timeout.InfiniteTimeSpan);
                return;
            }

            _state.Sessions.Detach(this);
            Close(ReasonCode.KeepAliveTimeout, "Nothing was heard for one and a half times the keep-alive.");
        }

        _state.Changed.Raise();
    }

    private void StartLinger()
    {
        var timer = _state.Options.TimeProvider.CreateTimer(_ => Abort(), null, Linger, Timeout.InfiniteTimeSpan);
        if (Interlocked.CompareExchange(ref _linger, timer, null) is not null)
        {
            timer.Dispose();
        }
    }

    private void OnWritten()
    {
        if (!_paused)
        {
            return;
        }

        lock (_state.Gate)
        {
            _paused = false;
            Session?.Outbox.Pump();
        }
    }

    private void OnOutputEnded(bool written) => _ = FinishAsync(written);

    private async Task FinishAsync(bool written)
    {
        // If the client takes nothing any more, what it sent before it went is still to be read.
        if (written && !await HalfClose.CompleteWritingAsync(_stream).ConfigureAwait(false))
        {
            await _stream.DisposeAsync().ConfigureAwait(false);
        }

        _outputEnded.TrySetResult();
    }
}
