using System.Buffers;

namespace Nightjar.Protocol.Codec;

/// <summary>
/// Writes a property section (without its length) into a growing buffer, for <see cref="Packets.PublishPacket.Properties"/>. Throws
/// <see cref="ArgumentException"/> for a text over 65,535 bytes or one that MQTT forbids (U+0000, lone surrogates), for a number out of
/// the property's range, and for a value of another form than the property's.
/// </summary>
public readonly struct PropertyWriter
{
    private readonly IBufferWriter<byte> _output;

    /// <param name="output">Where the section goes.</param>
    public PropertyWriter(IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        _output = output;
    }

    /// <summary>A byte, two-byte, four-byte or variable byte integer property, as its identifier demands.</summary>
    public void Write(PropertyId id, uint number)
    {
        var counter = SpanWriter.Counter(MqttVersion.Mqtt5);
        counter.Property(id, number);
        SpanWriter writer = Reserve(counter);
        writer.Property(id, number);
        _output.Advance((int)writer.Position);
    }

    /// <summary>A UTF-8 property.</summary>
    public void Write(PropertyId id, string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var counter = SpanWriter.Counter(MqttVersion.Mqtt5);
        counter.Property(id, text);
        SpanWriter writer = Reserve(counter);
        writer.Property(id, text);
        _output.Advance((int)writer.Position);
    }

    /// <summary>A binary property.</summary>
    public void Write(PropertyId id, ReadOnlySpan<byte> data)
    {
        var counter = SpanWriter.Counter(MqttVersion.Mqtt5);
        counter.Property(id, data);
        SpanWriter writer = Reserve(counter);
        writer.Property(id, data);
        _output.Advance((int)writer.Position);
    }

    /// <summary>A user property.</summary>
    public void Write(UserProperty property)
    {
        var counter = SpanWriter.Counter(MqttVersion.Mqtt5);
        counter.Property(property);
        SpanWriter writer = Reserve(counter);
        writer.Property(property);
        _output.Advance((int)writer.Position);
    }

    private SpanWriter Reserve(in SpanWriter counter) => new(MqttVersion.Mqtt5, _output.GetSpan((int)counter.Position));
}
