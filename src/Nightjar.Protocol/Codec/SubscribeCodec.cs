using System.Text;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>SUBSCRIBE (MQTT 5, 3.8).</summary>
internal static class SubscribeCodec
{
    // The subscription options (3.8.3.1); before 5.0 all but the QoS are reserved.
    private const int QoSMask = 0b0000_0011;
    private const int NoLocal = 0b0000_0100;
    private const int RetainAsPublished = 0b0000_1000;
    private const int RetainHandlingShift = 4;
    private const int Reserved = 0b1100_0000;

    public static SubscribePacket? Read(ref SpanReader reader)
    {
        ushort id = reader.PacketId(Rules.RequestIdZero);
        PropertySection properties = reader.Properties(PacketType.Subscribe);
        ReadOnlySpan<byte> payload = reader.Rest();
        SpanReader entries = new(payload, reader.Version, reader.Sender);
        int count = 0;
        while (!entries.AtEnd)
        {
            ReadEntry(ref entries, out _, out _);
            count++;
        }

        reader.Require(entries.Broken);
        reader.Require(count > 0, Rules.SubscribeEmpty);
        return reader.Broken is not null ? null : new()
        {
            PacketId = id,
            Subscriptions = ReadEntries(new(payload, reader.Version, reader.Sender), count),
            SubscriptionIdentifier = properties.Number(PropertyId.SubscriptionIdentifier),
            UserProperties = properties.UserProperties(),
        };
    }

    public static void Write(ref SpanWriter writer, SubscribePacket packet)
    {
        if (packet.Subscriptions.Count == 0)
        {
            throw new ArgumentException("A SUBSCRIBE needs at least one topic filter [MQTT5-3.8.3-2].", nameof(packet));
        }

        writer.PacketId(packet.PacketId);
        writer.Properties(packet, WriteProperties);
        for (int i = 0; i < packet.Subscriptions.Count; i++)
        {
            RequestedSubscription subscription = packet.Subscriptions[i];
            TopicRules.ThrowIfNotFilter(subscription.Filter, writer.Version);
            writer.Text(subscription.Filter);
            writer.Byte(OptionsOf(subscription, writer.Version));
        }
    }

    private static void ReadEntry(ref SpanReader entries, out ReadOnlySpan<byte> filter, out byte options)
    {
        filter = entries.Binary();
        options = entries.Byte();
        if (entries.Broken is null)
        {
            entries.Require(TopicRules.CheckFilter(filter, entries.Version));
            entries.Require(CheckOptions(options, filter, entries.Version));
        }
    }

    private static RequestedSubscription[] ReadEntries(SpanReader entries, int count)
    {
        var subscriptions = new RequestedSubscription[count];
        for (int i = 0; i < count; i++)
        {
            ReadEntry(ref entries, out ReadOnlySpan<byte> filter, out byte options);
            subscriptions[i] = new(Encoding.UTF8.GetString(filter), (QoS)(options & QoSMask))
            {
                NoLocal = (options & NoLocal) != 0,
                RetainAsPublished = (options & RetainAsPublished) != 0,
                RetainHandling = (RetainHandling)(options >> RetainHandlingShift),
            };
        }

        return subscriptions;
    }

    private static Rule? CheckOptions(byte options, ReadOnlySpan<byte> filter, MqttVersion version)
    {
        int reserved = version == MqttVersion.Mqtt5 ? Reserved : ~QoSMask;
        return (options & reserved) != 0 ? Rules.SubscriptionOptionsReserved
            : (options & QoSMask) == QoSMask ? Rules.SubscriptionQoS3
            : options >> RetainHandlingShift > (int)RetainHandling.DoNotSend ? Rules.RetainHandling3
            : (options & NoLocal) != 0 && TopicRules.IsShared(filter) ? Rules.NoLocalOnShared
            : null;
    }

    private static byte OptionsOf(RequestedSubscription subscription, MqttVersion version)
    {
        if (subscription.QoS > QoS.ExactlyOnce || subscription.RetainHandling > RetainHandling.DoNotSend)
        {
            throw new ArgumentException("There is no QoS and no retain handling above 2.", nameof(subscription));
        }

        if (version != MqttVersion.Mqtt5)
        {
            return (byte)subscription.QoS;
        }

        if (subscription.NoLocal && subscription.Filter.StartsWith("$share/", StringComparison.Ordinal))
        {
            throw new ArgumentException("A shared subscription cannot have the no local option [MQTT5-3.8.3-4].", nameof(subscription));
        }

        return (byte)((int)subscription.QoS
            | (subscription.NoLocal ? NoLocal : 0)
            | (subscription.RetainAsPublished ? RetainAsPublished : 0)
            | ((int)subscription.RetainHandling << RetainHandlingShift));
    }

    private static void WriteProperties(ref SpanWriter writer, SubscribePacket packet)
    {
        writer.Property(PropertyId.SubscriptionIdentifier, packet.SubscriptionIdentifier);
        writer.Properties(packet.UserProperties);
    }
}
