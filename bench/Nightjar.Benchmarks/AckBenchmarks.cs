using BenchmarkDotNet.Attributes;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Benchmarks;

/// <summary>One PUBACK, written and read.</summary>
[MemoryDiagnoser]
public class AckBenchmarks
{
    private readonly byte[] _buffer = new byte[4];
    private PacketDecoder _decoder = null!;

    [Params(MqttVersion.Mqtt311, MqttVersion.Mqtt5)]
    public MqttVersion Version { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _decoder = new(PacketSender.Server, Version);
        Encode();
    }

    [Benchmark]
    public int Encode() => PacketWriter.Write(new AckPacket(PacketType.PubAck, 7), Version, _buffer);

    [Benchmark]
    public int Decode()
    {
        _decoder.Decode(_buffer, bufferFull: false, out var packet, out _);
        return packet.Ack.PacketId;
    }
}
