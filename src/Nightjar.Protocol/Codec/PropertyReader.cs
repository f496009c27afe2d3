namespace Nightjar.Protocol.Codec;

/// <summary>
/// Walks a property section that the decoder has already validated, e.g. <see cref="Packets.PublishPacket.Properties"/>:
/// <c>while (reader.Read()) switch (reader.Id) ...</c>. Allocates nothing.
/// </summary>
public ref struct PropertyReader
{
    /// <param name="section">The properties without their length.</param>
    public PropertyReader(ReadOnlySpan<byte> section) => throw new NotSupportedException("skeleton");

    /// <summary>The current property.</summary>
    public readonly PropertyId Id => throw new NotSupportedException("skeleton");

    /// <summary>The value of a byte, two-byte, four-byte or variable byte integer property.</summary>
    public readonly uint Number => throw new NotSupportedException("skeleton");

    /// <summary>The bytes of a UTF-8 or binary property; of a user property, its name.</summary>
    public readonly ReadOnlySpan<byte> Bytes => throw new NotSupportedException("skeleton");

    /// <summary>The value of a user property.</summary>
    public readonly ReadOnlySpan<byte> Value => throw new NotSupportedException("skeleton");

    /// <summary>Where the current property starts in the section (its identifier byte).</summary>
    public readonly int Offset => throw new NotSupportedException("skeleton");

    /// <summary>Moves to the next property; false at the end.</summary>
    public bool Read() => throw new NotSupportedException("skeleton");
}
