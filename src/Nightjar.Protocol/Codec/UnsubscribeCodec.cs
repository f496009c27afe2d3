using System.Text;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>UNSUBSCRIBE (MQTT 5, 3.10).</summary>
internal static class UnsubscribeCodec
{
    public static UnsubscribePacket? Read(ref SpanReader reader)
    {
        ushort id = reader.PacketId(Rules.RequestIdZero);
        PropertySection properties = reader.Properties(PacketType.Unsubscribe);
        ReadOnlySpan<byte> payload = reader.Rest();
        SpanReader filters = new(payload, reader.Version, reader.Sender);
        int count = 0;
        while (!filters.AtEnd)
        {
            ReadOnlySpan<byte> filter = filters.Binary();
            if (filters.Broken is null)
            {
                filters.Require(TopicRules.CheckFilter(filter, filters.Version));
            }

            count++;
        }

        reader.Require(filters.Broken);
        reader.Require(count > 0, Rules.UnsubscribeEmpty);
        return reader.Broken is not null ? null : new()
        {
            PacketId = id,
            Filters = ReadFilters(new(payload, reader.Version, reader.Sender), count),
            UserProperties = properties.UserProperties(),
        };
    }

    public static void Write(ref SpanWriter writer, UnsubscribePacket packet)
    {
        if (packet.Filters.Count == 0)
        {
            throw new ArgumentException("An UNSUBSCRIBE needs at least one topic filter [MQTT5-3.10.3-2].", nameof(packet));
        }

        writer.PacketId(packet.PacketId);
        writer.Properties(packet.UserProperties, WriteProperties);
        for (int i = 0; i < packet.Filters.Count; i++)
        {
            TopicRules.ThrowIfNotFilter(packet.Filters[i], writer.Version);
            writer.Text(packet.Filters[i]);
        }
    }

    private static string[] ReadFilters(SpanReader reader, int count)
    {
        string[] filters = new string[count];
        for (int i = 0; i < count; i++)
        {
            filters[i] = Encoding.UTF8.GetString(reader.Binary());
        }

        return filters;
    }

    private static void WriteProperties(ref SpanWriter writer, IReadOnlyList<UserProperty> properties) => writer.Properties(properties);
}
