using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Nightjar.Cli.Output;

/// <summary>A message as a JSON object: <c>%j</c> with the payload as a string, <c>%J</c> with the payload as the JSON that it is.</summary>
internal static class JsonMessage
{
    // As deep as cJSON goes, with which mosquitto_sub parses; a limit there must be, for the payload is a stranger's.
    private const int MaximumDepth = 1000;

    /// <summary>Appends the object, with the payload as a string.</summary>
    public static void WriteText(MqttMessage message, DateTimeOffset time, JsonText json)
    {
        Begin(message, time, json);
        if (message.Payload.IsEmpty)
        {
            json.Literal("null"u8);
        }
        else
        {
            json.String(message.Payload.Span);
        }

        json.EndObject();
    }

    /// <summary>Appends the object, with the payload as JSON; false, and nothing is appended, if it is none.</summary>
    public static bool TryWriteJson(MqttMessage message, DateTimeOffset time, bool pretty, bool forTerminal, IBufferWriter<byte> output)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var json = new JsonText(buffer, pretty, forTerminal);
        Begin(message, time, json);
        if (message.Payload.IsEmpty)
        {
            json.Literal("null"u8);
        }
        else if (!TryCopy(message.Payload.Span, json))
        {
            return false;
        }

        json.EndObject();
        output.Write(buffer.WrittenSpan);
        return true;
    }

    private static void Begin(MqttMessage message, DateTimeOffset time, JsonText json)
    {
        json.StartObject();
        json.Name("tst"u8);
        // The man page's form; 2.0.11 prints a stray Z before the offset, later releases do not.
        json.String(TimeText.Iso8601Microseconds(time));
        json.Name("topic"u8);
        json.String(message.Topic);
        json.Name("qos"u8);
        json.Number((int)message.QoS);
        json.Name("retain"u8);
        json.Number(message.Retain ? 1 : 0);
        json.Name("payloadlen"u8);
        json.Number(message.Payload.Length);
        if (message.QoS > QoS.AtMostOnce)
        {
            json.Name("mid"u8);
            json.Number(message.PacketId);
        }

        WriteProperties(message, json);
        json.Name("payload"u8);
    }

    private static void WriteProperties(MqttMessage message, JsonText json)
    {
        var any = false;
        foreach (var identifier in message.SubscriptionIdentifiers)
        {
            Property("subscription-identifier"u8);
            json.Number(identifier);
        }

        if (message.TopicAlias is { } alias)
        {
            Property("topic-alias"u8);
            json.Number(alias);
        }

        if (message.ContentType is { } contentType)
        {
            Property("content-type"u8);
            json.String(contentType);
        }

        if (message.CorrelationData is { } correlationData)
        {
            Property("correlation-data"u8);
            json.String(correlationData.Span);
        }

        if (message.PayloadFormat is { } format)
        {
            Property("payload-format-indicator"u8);
            json.Number((int)format);
        }

        if (message.ResponseTopic is { } responseTopic)
        {
            Property("response-topic"u8);
            json.String(responseTopic);
        }

        if (message.UserProperties.Count > 0)
        {
            Property("user-properties"u8);
            json.StartObject();
            foreach (var (name, value) in message.UserProperties)
            {
                json.Name(name);
                json.String(value);
            }

            json.EndObject();
        }

        if (message.TimeToLive is { } timeToLive)
        {
            Property("message-expiry-interval"u8);
            json.Number((long)timeToLive.TotalSeconds);
        }

        if (any)
        {
            json.EndObject();
        }

        void Property(ReadOnlySpan<byte> name)
        {
            if (!any)
            {
                any = true;
                json.Name("properties"u8);
                json.StartObject();
            }

            json.Name(name);
        }
    }

    // Numbers keep their digits: mosquitto_sub prints them through a double, which ruins identifiers of 64 bits.
    private static bool TryCopy(ReadOnlySpan<byte> payload, JsonText json)
    {
        if (payload.StartsWith(Encoding.UTF8.Preamble))
        {
            payload = payload[Encoding.UTF8.Preamble.Length..];
        }

        var reader = new Utf8JsonReader(payload, new JsonReaderOptions { MaxDepth = MaximumDepth });
        try
        {
            while (reader.Read())
            {
                switch (reader.TokenType)
                {
                    case JsonTokenType.StartObject:
                        json.StartObject();
                        break;
                    case JsonTokenType.EndObject:
                        json.EndObject();
                        break;
                    case JsonTokenType.StartArray:
                        json.StartArray();
                        break;
                    case JsonTokenType.EndArray:
                        json.EndArray();
                        break;
                    case JsonTokenType.PropertyName:
                        json.Name(reader.GetString()!);
                        break;
                    case JsonTokenType.String:
                        json.String(reader.GetString()!);
                        break;
                    default:
                        json.Literal(reader.ValueSpan);
                        break;
                }
            }

            return true;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The second is a string that is not UTF-8, or half of a surrogate pair.
            return false;
        }
    }
}
