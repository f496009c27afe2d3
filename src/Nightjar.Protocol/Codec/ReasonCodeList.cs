using System.Runtime.InteropServices;

namespace Nightjar.Protocol.Codec;

/// <summary>The payload of SUBACK and UNSUBACK: a byte per topic filter.</summary>
internal static class ReasonCodeList
{
    public static ReasonCode[] Read(ReadOnlySpan<byte> codes) => MemoryMarshal.Cast<byte, ReasonCode>(codes).ToArray();
}
