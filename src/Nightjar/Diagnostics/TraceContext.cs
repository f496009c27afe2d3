using System.Buffers;
using System.Diagnostics;
using System.Text;
using Nightjar.Protocol.Codec;

namespace Nightjar.Diagnostics;

/// <summary>W3C Trace Context in MQTT 5: the user properties <c>traceparent</c> and <c>tracestate</c>.</summary>
internal static class TraceContext
{
    private const string Parent = "traceparent";
    private const string State = "tracestate";

    /// <summary>The properties with the activity's context behind them; unchanged if they have one, or if it has none in W3C's form.</summary>
    public static ReadOnlySpan<byte> Add(Activity activity, ReadOnlySpan<byte> properties)
    {
        if (activity is not { IdFormat: ActivityIdFormat.W3C, Id: { } id } || Find(properties, Parent) is not null)
        {
            return properties;
        }

        var output = new ArrayBufferWriter<byte>(properties.Length + 128);
        output.Write(properties);
        var writer = new PropertyWriter(output);
        writer.Write(new UserProperty(Parent, id));
        if (activity.TraceStateString is { Length: > 0 and <= 512 } state)
        {
            // Longer ones may be left out (W3C Trace Context, 3.3.1.5).
            writer.Write(new UserProperty(State, state));
        }

        return output.WrittenSpan;
    }

    /// <summary>The sender's context; none if the message carries none, or nonsense.</summary>
    public static ActivityContext Read(ReadOnlySpan<byte> properties) =>
        Find(properties, Parent) is { } parent && ActivityContext.TryParse(parent, Find(properties, State), isRemote: true, out var context) ? context : default;

    private static string? Find(ReadOnlySpan<byte> properties, string name)
    {
        var reader = new PropertyReader(properties);
        while (reader.Read())
        {
            if (reader.Id == PropertyId.UserProperty && Ascii.Equals(reader.Bytes, name))
            {
                return Encoding.UTF8.GetString(reader.Value);
            }
        }

        return null;
    }
}
