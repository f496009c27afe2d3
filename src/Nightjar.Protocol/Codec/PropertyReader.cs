using System.Buffers.Binary;

namespace Nightjar.Protocol.Codec;

/// <summary>
/// Walks a property section that the decoder has already validated, e.g. <see cref="Packets.PublishPacket.Properties"/>:
/// <c>while (reader.Read()) switch (reader.Id) ...</c>. Allocates nothing, and never throws: a section that is not well-formed ends early.
/// </summary>
public ref struct PropertyReader
{
    private readonly ReadOnlySpan<byte> _section;
    private int _next;

    /// <param name="section">The properties without their length.</param>
    public PropertyReader(ReadOnlySpan<byte> section) => _section = section;

    /// <summary>The current property.</summary>
    public PropertyId Id { get; private set; }

    /// <summary>The value of a byte, two-byte, four-byte or variable byte integer property.</summary>
    public uint Number { get; private set; }

    /// <summary>The bytes of a UTF-8 or binary property; of a user property, its name.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>The value of a user property.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Where the current property starts in the section (its identifier byte).</summary>
    public int Offset { get; private set; }

    /// <summary>Why <see cref="Read"/> ended early; null at the section's end.</summary>
    internal Rule? Broken { get; private set; }

    /// <summary>Moves to the next property; false at the end.</summary>
    public bool Read()
    {
        if ((uint)_next >= (uint)_section.Length)
        {
            return false;
        }

        Offset = _next;
        Id = (PropertyId)_section[_next];
        ReadOnlySpan<byte> content = _section[(_next + 1)..];
        int size = PropertyTable.FormOf(Id) switch
        {
            PropertyForm.Flag => ReadFlag(content),
            PropertyForm.TwoBytes => ReadTwoBytes(content),
            PropertyForm.FourBytes => ReadFourBytes(content),
            PropertyForm.VariableByteInteger => ReadVariableByteInteger(content),
            PropertyForm.Text or PropertyForm.Binary => ReadBytes(content),
            PropertyForm.TextPair => ReadPair(content),
            _ => Break(Rules.PropertyUnknown),
        };
        _next = size > 0 ? _next + 1 + size : _section.Length;
        return size > 0;
    }

    // Each of these returns the content's size, or 0 if it does not fit the section.
    private int ReadFlag(ReadOnlySpan<byte> content)
    {
        if (content.IsEmpty)
        {
            return Break(Rules.PropertyTruncated);
        }

        Number = content[0];
        return sizeof(byte);
    }

    private int ReadTwoBytes(ReadOnlySpan<byte> content)
    {
        if (!BinaryPrimitives.TryReadUInt16BigEndian(content, out ushort number))
        {
            return Break(Rules.PropertyTruncated);
        }

        Number = number;
        return sizeof(ushort);
    }

    private int ReadFourBytes(ReadOnlySpan<byte> content)
    {
        if (!BinaryPrimitives.TryReadUInt32BigEndian(content, out uint number))
        {
            return Break(Rules.PropertyTruncated);
        }

        Number = number;
        return sizeof(uint);
    }

    private int ReadVariableByteInteger(ReadOnlySpan<byte> content)
    {
        int size = VariableByteInteger.Read(content, out uint number);
        if (size <= 0)
        {
            return Break(size == 0 ? Rules.PropertyTruncated : Rules.LengthTooLong);
        }

        Number = number;
        return size == VariableByteInteger.SizeOf(number) ? size : Break(Rules.LengthNotMinimal);
    }

    private int ReadBytes(ReadOnlySpan<byte> content)
    {
        if (!TryTake(content, out ReadOnlySpan<byte> bytes))
        {
            return Break(Rules.PropertyTruncated);
        }

        Bytes = bytes;
        return sizeof(ushort) + bytes.Length;
    }

    private int ReadPair(ReadOnlySpan<byte> content)
    {
        if (!TryTake(content, out ReadOnlySpan<byte> name)
            || !TryTake(content[(sizeof(ushort) + name.Length)..], out ReadOnlySpan<byte> value))
        {
            return Break(Rules.PropertyTruncated);
        }

        Bytes = name;
        Value = value;
        return (2 * sizeof(ushort)) + name.Length + value.Length;
    }

    private static bool TryTake(ReadOnlySpan<byte> content, out ReadOnlySpan<byte> bytes)
    {
        bool fits = BinaryPrimitives.TryReadUInt16BigEndian(content, out ushort length) && content.Length - sizeof(ushort) >= length;
        bytes = fits ? content.Slice(sizeof(ushort), length) : default;
        return fits;
    }

    private int Break(Rule rule)
    {
        Broken = rule;
        return 0;
    }
}
