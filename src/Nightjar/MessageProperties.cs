using System.Text;
using Nightjar.Protocol.Codec;

namespace Nightjar;

/// <summary>The MQTT 5 properties of a received message, decoded; most messages have none.</summary>
internal sealed class MessageProperties
{
    public TimeSpan? TimeToLive { get; set; }

    public PayloadFormat? PayloadFormat { get; set; }

    public string? ContentType { get; set; }

    public string? ResponseTopic { get; set; }

    public ReadOnlyMemory<byte>? CorrelationData { get; set; }

    public List<UserProperty> UserProperties { get; } = [];

    public List<uint> SubscriptionIdentifiers { get; } = [];

    public ushort? TopicAlias { get; set; }

    /// <summary>Reads a validated property section, copying what it keeps; null for an empty one.</summary>
    public static MessageProperties? Read(ReadOnlySpan<byte> section)
    {
        if (section.IsEmpty)
        {
            return null;
        }

        var properties = new MessageProperties();
        var reader = new PropertyReader(section);
        while (reader.Read())
        {
            properties.Add(in reader);
        }

        return properties;
    }

    private void Add(in PropertyReader reader)
    {
        switch (reader.Id)
        {
            case PropertyId.MessageExpiryInterval:
                TimeToLive = TimeSpan.FromSeconds(reader.Number);
                break;
            case PropertyId.PayloadFormatIndicator:
                PayloadFormat = (PayloadFormat)reader.Number;
                break;
            case PropertyId.ContentType:
                ContentType = Encoding.UTF8.GetString(reader.Bytes);
                break;
            case PropertyId.ResponseTopic:
                ResponseTopic = Encoding.UTF8.GetString(reader.Bytes);
                break;
            case PropertyId.CorrelationData:
                CorrelationData = reader.Bytes.ToArray();
                break;
            case PropertyId.UserProperty:
                UserProperties.Add(new UserProperty(Encoding.UTF8.GetString(reader.Bytes), Encoding.UTF8.GetString(reader.Value)));
                break;
            case PropertyId.SubscriptionIdentifier:
                SubscriptionIdentifiers.Add(reader.Number);
                break;
            case PropertyId.TopicAlias:
                TopicAlias = (ushort)reader.Number;
                break;
            default:
                // The decoder lets no other property into a PUBLISH (3.3.2.3).
                break;
        }
    }
}
