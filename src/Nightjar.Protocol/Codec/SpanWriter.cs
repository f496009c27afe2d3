using System.Buffers.Binary;
using System.Text;
using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Codec;

/// <summary>Writes the content of a packet's property section.</summary>
internal delegate void SectionContent<in T>(ref SpanWriter writer, T packet);

/// <summary>
/// Puts the fields of a packet's body one after the other, or only counts them: one description of a packet gives both its size and its
/// bytes, so that they cannot disagree. What must not be sent throws while counting; the caller counts first, and provides the room.
/// </summary>
internal ref struct SpanWriter
{
    private readonly Span<byte> _destination;
    private readonly bool _counting;

    public SpanWriter(MqttVersion version, Span<byte> destination)
    {
        Version = version;
        _destination = destination;
    }

    private SpanWriter(MqttVersion version)
    {
        Version = version;
        _counting = true;
    }

    public MqttVersion Version { get; }

    /// <summary>64 bits: a list of user properties can be larger than any packet.</summary>
    public long Position { get; private set; }

    private readonly Span<byte> Rest => _destination[(int)Position..];

    public static SpanWriter Counter(MqttVersion version) => new(version);

    public void Byte(byte value)
    {
        if (!_counting)
        {
            Rest[0] = value;
        }

        Position += sizeof(byte);
    }

    public void TwoBytes(ushort value)
    {
        if (!_counting)
        {
            BinaryPrimitives.WriteUInt16BigEndian(Rest, value);
        }

        Position += sizeof(ushort);
    }

    public void FourBytes(uint value)
    {
        if (!_counting)
        {
            BinaryPrimitives.WriteUInt32BigEndian(Rest, value);
        }

        Position += sizeof(uint);
    }

    public void VariableByteInteger(uint value) =>
        Position += _counting ? Codec.VariableByteInteger.SizeOf(value) : Codec.VariableByteInteger.Write(Rest, value);

    public void PacketId(ushort value)
    {
        if (value == 0)
        {
            throw new ArgumentException("The packet identifier is 0; take one from 1 to 65,535.", nameof(value));
        }

        TwoBytes(value);
    }

    /// <summary>Bytes without a length.</summary>
    public void Raw(ReadOnlySpan<byte> bytes)
    {
        if (!_counting)
        {
            bytes.CopyTo(Rest);
        }

        Position += bytes.Length;
    }

    public void Binary(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > ushort.MaxValue)
        {
            throw new ArgumentException($"The binary data has {bytes.Length} bytes, MQTT allows 65535; shorten it.", nameof(bytes));
        }

        TwoBytes((ushort)bytes.Length);
        Raw(bytes);
    }

    public void Text(string text)
    {
        if (_counting)
        {
            Position += sizeof(ushort) + Utf8Rules.GetByteCount(text);
            return;
        }

        int length = Encoding.UTF8.GetBytes(text, Rest[sizeof(ushort)..]);
        TwoBytes((ushort)length);
        Position += length;
    }

    /// <summary>A property length and its section; nothing before 5.0, which has none.</summary>
    public void Properties<T>(T packet, SectionContent<T> content)
    {
        if (Version != MqttVersion.Mqtt5)
        {
            return;
        }

        var counter = Counter(Version);
        content(ref counter, packet);
        VariableByteInteger((uint)Math.Min(counter.Position, Codec.VariableByteInteger.Maximum));
        content(ref this, packet);
    }

    public void Property(PropertyId id, uint? value)
    {
        if (value is not { } number)
        {
            return;
        }

        PropertyForm form = PropertyTable.FormOf(id);
        if (number > PropertyTable.MaximumOf(form) || (number == 0 && PropertyTable.IsNonZero(id)))
        {
            throw new ArgumentException($"{number} is not a value of {id}.", nameof(value));
        }

        Byte((byte)id);
        switch (form)
        {
            case PropertyForm.Flag:
                Byte((byte)number);
                break;
            case PropertyForm.TwoBytes:
                TwoBytes((ushort)number);
                break;
            case PropertyForm.FourBytes:
                FourBytes(number);
                break;
            case PropertyForm.VariableByteInteger:
                VariableByteInteger(number);
                break;
            default:
                throw new ArgumentException($"{id} is not a number.", nameof(id));
        }
    }

    public void Property(PropertyId id, bool? value) => Property(id, value is { } flag ? (flag ? 1u : 0u) : null);

    public void Property(PropertyId id, string? value)
    {
        if (value is null)
        {
            return;
        }

        if (PropertyTable.FormOf(id) != PropertyForm.Text)
        {
            throw new ArgumentException($"{id} is not a text.", nameof(id));
        }

        if (id == PropertyId.ResponseTopic)
        {
            TopicName.ThrowIfInvalid(value, nameof(value));
        }

        Byte((byte)id);
        Text(value);
    }

    public void Property(PropertyId id, ReadOnlyMemory<byte>? value)
    {
        if (value is { } data)
        {
            Property(id, data.Span);
        }
    }

    public void Property(PropertyId id, ReadOnlySpan<byte> value)
    {
        if (PropertyTable.FormOf(id) != PropertyForm.Binary)
        {
            throw new ArgumentException($"{id} is not binary data.", nameof(id));
        }

        Byte((byte)id);
        Binary(value);
    }

    public void Property(UserProperty property)
    {
        Byte((byte)PropertyId.UserProperty);
        Text(property.Name);
        Text(property.Value);
    }

    public void Properties(IReadOnlyList<UserProperty>? properties)
    {
        for (int i = 0; i < (properties?.Count ?? 0); i++)
        {
            Property(properties![i]);
        }
    }
}
