using System.Buffers.Binary;
using System.Text;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>
/// Takes the fields of a packet's body one after the other. The first broken rule sticks and empties the reader, so that a codec reads
/// all its fields and asks once at the end. Fields that are not there read as 0 and empty.
/// </summary>
internal ref struct SpanReader(ReadOnlySpan<byte> body, MqttVersion version, PacketSender sender)
{
    private ReadOnlySpan<byte> _rest = body;

    /// <summary>CONNECT sets it.</summary>
    public MqttVersion Version { get; set; } = version;

    public readonly PacketSender Sender => sender;

    public Rule? Broken { get; private set; }

    /// <summary>Nothing is left, or a rule was broken.</summary>
    public readonly bool AtEnd => _rest.IsEmpty;

    public readonly int Left => _rest.Length;

    public byte Byte()
    {
        if (_rest.IsEmpty)
        {
            Break(Rules.Truncated);
            return 0;
        }

        byte value = _rest[0];
        _rest = _rest[1..];
        return value;
    }

    public ushort TwoBytes()
    {
        if (!BinaryPrimitives.TryReadUInt16BigEndian(_rest, out ushort value))
        {
            Break(Rules.Truncated);
            return 0;
        }

        _rest = _rest[sizeof(ushort)..];
        return value;
    }

    /// <summary>A packet identifier, which is never 0.</summary>
    public ushort PacketId(Rule zeroRule)
    {
        ushort id = TwoBytes();
        Require(id != 0, zeroRule);
        return id;
    }

    public ReadOnlySpan<byte> Binary()
    {
        int length = TwoBytes();
        if (length > _rest.Length)
        {
            Break(Rules.Truncated);
            return default;
        }

        ReadOnlySpan<byte> bytes = _rest[..length];
        _rest = _rest[length..];
        return bytes;
    }

    public string Text()
    {
        ReadOnlySpan<byte> bytes = Binary();
        Require(Utf8Rules.Check(bytes));
        return Broken is null ? Encoding.UTF8.GetString(bytes) : "";
    }

    /// <summary>Everything that is left.</summary>
    public ReadOnlySpan<byte> Rest()
    {
        ReadOnlySpan<byte> rest = _rest;
        _rest = default;
        return rest;
    }

    /// <summary>A property length and its section; empty before 5.0, which has none.</summary>
    public PropertySection Properties(PacketType packet)
    {
        if (Version != MqttVersion.Mqtt5)
        {
            return default;
        }

        int size = VariableByteInteger.Read(_rest, out uint length);
        if (size <= 0)
        {
            Break(size == 0 ? Rules.Truncated : Rules.LengthTooLong);
            return default;
        }

        Require(size == VariableByteInteger.SizeOf(length), Rules.LengthNotMinimal);
        Require(length <= (uint)(_rest.Length - size), Rules.Truncated);
        if (Broken is not null)
        {
            return default;
        }

        Rule? broken = PropertySection.Validate(_rest.Slice(size, (int)length), packet, sender, out PropertySection properties);
        _rest = _rest[(size + (int)length)..];
        Require(broken);
        return properties;
    }

    public void RequireEnd() => Require(_rest.IsEmpty, Rules.TrailingBytes);

    public void Require(bool kept, Rule rule)
    {
        if (!kept)
        {
            Break(rule);
        }
    }

    public void Require(Rule? broken)
    {
        if (broken is not null)
        {
            Break(broken);
        }
    }

    private void Break(Rule rule)
    {
        Broken ??= rule;
        _rest = default;
    }
}
