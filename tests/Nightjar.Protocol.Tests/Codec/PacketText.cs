using System.Collections;

namespace Nightjar.Protocol.Tests.Codec;

/// <summary>All that an object holds, as one text: packets are classes without equality.</summary>
internal static class PacketText
{
    public static string Of(object? value) => value switch
    {
        null => "null",
        string text => $"'{text}'",

        // Before the bytes: to the runtime an array of a byte-sized enumeration is one of bytes.
        IReadOnlyList<ReasonCode> codes => $"[{string.Join(", ", codes)}]",
        ReadOnlyMemory<byte> bytes => Convert.ToHexString(bytes.Span),
        byte[] bytes => Convert.ToHexString(bytes),
        UserProperty property => $"{property.Name}={property.Value}",
        IEnumerable list => $"[{string.Join(", ", list.Cast<object>().Select(Of))}]",
        Enum or ValueType when value.GetType().Namespace == nameof(System) || value is Enum => $"{value}",
        _ => $"{value.GetType().Name} {{ {string.Join(", ", Fields(value))} }}",
    };

    private static IEnumerable<string> Fields(object value) =>
        value.GetType().GetProperties().Select(property => $"{property.Name} = {Of(property.GetValue(value))}");
}
