using System.Buffers;

namespace Nightjar.Protocol.Codec;

/// <summary>
/// Writes a property section (without its length) into a growing buffer, for <see cref="Packets.PublishPacket.Properties"/>. Throws
/// <see cref="ArgumentException"/> for a text over 65,535 bytes or one that MQTT forbids (U+0000, lone surrogates).
/// </summary>
public readonly struct PropertyWriter
{
    /// <param name="output">Where the section goes.</param>
    public PropertyWriter(IBufferWriter<byte> output) => throw new NotSupportedException("skeleton");

    /// <summary>A byte, two-byte, four-byte or variable byte integer property, as its identifier demands.</summary>
    public void Write(PropertyId id, uint number) => throw new NotSupportedException("skeleton");

    /// <summary>A UTF-8 property.</summary>
    public void Write(PropertyId id, string text) => throw new NotSupportedException("skeleton");

    /// <summary>A binary property.</summary>
    public void Write(PropertyId id, ReadOnlySpan<byte> data) => throw new NotSupportedException("skeleton");

    /// <summary>A user property.</summary>
    public void Write(UserProperty property) => throw new NotSupportedException("skeleton");
}
