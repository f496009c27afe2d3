using System.Buffers;
using System.Globalization;

namespace Nightjar.Cli.Output;

/// <summary>A stored session for programs: one JSON object.</summary>
internal static class SessionJson
{
    /// <summary>UTF-8, with a line feed.</summary>
    /// <param name="session">What to show.</param>
    /// <param name="pretty">Whether it is laid out for people.</param>
    /// <param name="payload">Whether payloads are shown; bytes that are no text become U+FFFD.</param>
    /// <param name="escapes">Whether what only draws is left as it is and all else is escaped.</param>
    public static ReadOnlyMemory<byte> Print(StoredSession session, bool pretty, bool payload, bool escapes)
    {
        var output = new ArrayBufferWriter<byte>();
        var json = new JsonText(output, pretty, escapes);
        json.StartObject();
        Text("storeId", session.Store.StoreId.ToString());
        Number("bytes", session.Store.Bytes);
        Number("files", session.Store.Segments);
        Number("records", session.Records);
        Flag("encrypted", session.Store.IsEncrypted);
        Text("clientId", session.ClientId);
        Text("server", session.Server);
        Number("unanswered", session.Unanswered);
        Number("rememberedIds", session.RememberedIds);
        Flag("damaged", session.IsDamaged);
        json.Name("messages");
        json.StartArray();
        foreach (var message in SessionTable.All(session))
        {
            json.StartObject();
            Number("number", message.Number);
            Text("state", SessionTable.Name(message.State));
            Text("topic", message.Topic);
            Number("qos", (int)message.QoS);
            Flag("retain", message.Retain);
            Number("packetId", message.PacketId);
            Text("id", message.Id);
            Number("payloadLength", message.Payload.Length);
            Text("storedAt", Time(message.StoredAt));
            Text("expiresAt", Time(message.ExpiresAt));
            if (payload)
            {
                json.Name("payload");
                json.String(message.Payload.Span);
            }

            json.EndObject();
        }

        json.EndArray();
        json.EndObject();
        output.Write("\n"u8);
        return output.WrittenMemory;

        void Text(string name, string? value)
        {
            json.Name(name);
            if (value is null)
            {
                json.Literal("null"u8);
            }
            else
            {
                json.String(value);
            }
        }

        void Number(string name, long value)
        {
            json.Name(name);
            json.Number(value);
        }

        void Flag(string name, bool value)
        {
            json.Name(name);
            json.Literal(value ? "true"u8 : "false"u8);
        }
    }

    private static string? Time(DateTime? time) => time?.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
