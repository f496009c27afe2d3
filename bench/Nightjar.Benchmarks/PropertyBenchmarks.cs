using System.Buffers;
using BenchmarkDotNet.Attributes;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Benchmarks;

/// <summary>A 5.0 PUBLISH with what a request has: response topic, correlation data, content type and a user property.</summary>
[MemoryDiagnoser]
public class PropertyBenchmarks
{
    private readonly ArrayBufferWriter<byte> _section = new();
    private readonly byte[] _buffer = new byte[500];
    private readonly PacketDecoder _decoder = new(PacketSender.Server, MqttVersion.Mqtt5);
    private int _size;

    [GlobalSetup]
    public void Setup()
    {
        var writer = new PropertyWriter(_section);
        writer.Write(PropertyId.ResponseTopic, "replies/client-1");
        writer.Write(PropertyId.CorrelationData, new byte[16]);
        writer.Write(PropertyId.ContentType, "application/json");
        writer.Write(new UserProperty("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        _size = Encode();
    }

    [Benchmark]
    public int Encode()
    {
        var packet = new PublishPacket { Topic = "bench/topic/1"u8, Properties = _section.WrittenSpan };
        return PacketWriter.Write(packet, MqttVersion.Mqtt5, _buffer);
    }

    [Benchmark]
    public int Decode()
    {
        _decoder.Decode(_buffer.AsSpan(0, _size), bufferFull: false, out var packet, out _);
        return packet.Publish.Properties.Length;
    }
}
