using System.Text;

namespace Nightjar;

/// <summary>What a responder answers. Text and bytes convert to it: <c>client.Respond("time", _ =&gt; DateTimeOffset.UtcNow.ToString("O"))</c>. The properties of MQTT 5 are left out with 3.1 and 3.1.1.</summary>
public sealed record MqttResponse
{
    /// <summary>An answer without payload; set <see cref="Payload"/>.</summary>
    public MqttResponse()
    {
    }

    /// <summary>An answer of text, as UTF-8.</summary>
    public MqttResponse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        Payload = Encoding.UTF8.GetBytes(text);
    }

    /// <summary>An answer of bytes; they are read when the responder has returned.</summary>
    public MqttResponse(ReadOnlyMemory<byte> payload) => Payload = payload;

    /// <summary>The bytes. Default: none.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>5.0: null, not sent.</summary>
    public PayloadFormat? PayloadFormat { get; init; }

    /// <summary>5.0: a MIME type, for instance.</summary>
    public string? ContentType { get; init; }

    /// <summary>5.0: in the order of the wire.</summary>
    public IReadOnlyList<UserProperty> UserProperties { get; init; } = [];

    /// <summary>Text, as UTF-8.</summary>
    public static implicit operator MqttResponse(string text) => new(text);

    /// <summary>Bytes.</summary>
    public static implicit operator MqttResponse(byte[] payload) => new(payload);

    /// <summary>Bytes.</summary>
    public static implicit operator MqttResponse(ReadOnlyMemory<byte> payload) => new(payload);
}
