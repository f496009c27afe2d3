using BenchmarkDotNet.Attributes;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Benchmarks;

/// <summary>One QoS 1 PUBLISH, written and read.</summary>
[MemoryDiagnoser]
public class PublishBenchmarks
{
    private byte[] _payload = [];
    private byte[] _buffer = [];
    private int _size;
    private PacketDecoder _decoder = null!;

    /// <summary>The payload in bytes.</summary>
    [Params(16, 1024)]
    public int Payload { get; set; }

    /// <summary>5.0 has a property length, which is 0 here.</summary>
    [Params(MqttVersion.Mqtt311, MqttVersion.Mqtt5)]
    public MqttVersion Version { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _payload = new byte[Payload];
        _buffer = new byte[Payload + 100];
        _decoder = new(PacketSender.Server, Version);
        _size = Encode();
    }

    [Benchmark]
    public int Encode()
    {
        var packet = new PublishPacket { QoS = QoS.AtLeastOnce, PacketId = 7, Topic = "bench/topic/1"u8, Payload = _payload };
        return PacketWriter.Write(packet, Version, _buffer);
    }

    [Benchmark]
    public int Decode()
    {
        _decoder.Decode(_buffer.AsSpan(0, _size), bufferFull: false, out var packet, out var consumed);
        return packet.Publish.Payload.Length + consumed;
    }
}
