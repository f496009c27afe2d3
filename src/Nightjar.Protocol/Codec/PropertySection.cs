using System.Text;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>
/// A property section that keeps all rules. What is asked for is looked up by walking the section, so that validating allocates
/// nothing; a set of bits spares the walk for what is not there.
/// </summary>
internal readonly ref struct PropertySection
{
    private readonly ReadOnlySpan<byte> _section;
    private readonly ulong _present;
    private readonly int _userProperties;

    private PropertySection(ReadOnlySpan<byte> section, ulong present, int userProperties)
    {
        _section = section;
        _present = present;
        _userProperties = userProperties;
    }

    public bool IsEmpty => _section.IsEmpty;

    /// <summary>Checks the properties of a packet; null if they keep all rules.</summary>
    public static Rule? Validate(ReadOnlySpan<byte> section, PacketType packet, PacketSender sender, out PropertySection properties)
    {
        properties = default;
        ulong legal = PropertyTable.LegalIn(packet);
        ulong present = 0;
        int userProperties = 0;
        PropertyReader reader = new(section);
        while (reader.Read())
        {
            ulong bit = 1UL << (int)reader.Id;
            if ((legal & bit) == 0)
            {
                return Rules.PropertyOutOfPlace;
            }

            if ((present & bit) != 0 && (PropertyTable.RepeatableIn(packet) & bit) == 0)
            {
                return PropertyTable.Repeated(reader.Id, packet);
            }

            if (CheckValue(reader, packet, sender) is { } broken)
            {
                return broken;
            }

            present |= bit;
            userProperties += reader.Id == PropertyId.UserProperty ? 1 : 0;
        }

        properties = new(section, present, userProperties);
        return reader.Broken;
    }

    public bool Has(PropertyId id) => (_present & (1UL << (int)id)) != 0;

    public uint? Number(PropertyId id) => Find(id, out PropertyReader found) ? found.Number : null;

    public ushort? TwoBytes(PropertyId id) => (ushort?)Number(id);

    public bool? Flag(PropertyId id) => Find(id, out PropertyReader found) ? found.Number != 0 : null;

    public string? Text(PropertyId id) => Find(id, out PropertyReader found) ? Encoding.UTF8.GetString(found.Bytes) : null;

    public ReadOnlyMemory<byte>? Binary(PropertyId id) =>
        Find(id, out PropertyReader found) ? new ReadOnlyMemory<byte>?(found.Bytes.ToArray()) : null;

    public UserProperty[] UserProperties()
    {
        if (_userProperties == 0)
        {
            return [];
        }

        var properties = new UserProperty[_userProperties];
        int count = 0;
        PropertyReader reader = new(_section);
        while (reader.Read())
        {
            if (reader.Id == PropertyId.UserProperty)
            {
                properties[count++] = new(Encoding.UTF8.GetString(reader.Bytes), Encoding.UTF8.GetString(reader.Value));
            }
        }

        return properties;
    }

    private bool Find(PropertyId id, out PropertyReader found)
    {
        found = new(_section);
        if (!Has(id))
        {
            return false;
        }

        while (found.Read() && found.Id != id)
        {
        }

        return true;
    }

    private static Rule? CheckValue(in PropertyReader reader, PacketType packet, PacketSender sender)
    {
        PropertyForm form = PropertyTable.FormOf(reader.Id);
        switch (form)
        {
            case PropertyForm.Text when reader.Id == PropertyId.ResponseTopic:
                return TopicRules.CheckName(reader.Bytes, Rules.ResponseTopicHasWildcard);
            case PropertyForm.Text:
                return Utf8Rules.Check(reader.Bytes);
            case PropertyForm.TextPair:
                return Utf8Rules.Check(reader.Bytes) ?? Utf8Rules.Check(reader.Value);
            case PropertyForm.Binary:
                return null;
            default:
                return reader.Number > PropertyTable.MaximumOf(form) || (reader.Number == 0 && PropertyTable.IsNonZero(reader.Id))
                    ? PropertyTable.OutOfRange(reader.Id, packet)
                    : packet == PacketType.Publish && sender == PacketSender.Client && reader.Id == PropertyId.SubscriptionIdentifier
                        ? Rules.SubscriptionIdentifierFromClient
                        : null;
        }
    }
}
