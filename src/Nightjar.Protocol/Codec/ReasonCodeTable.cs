using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Codec;

/// <summary>Which reason codes are legal in which packet, and from which end (MQTT 5, 2.4 and the tables of chapter 3).</summary>
internal static class ReasonCodeTable
{
    private static ReadOnlySpan<byte> ConnAck =>
    [
        0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F,
    ];

    private static ReadOnlySpan<byte> PubAckFromServer => [0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];

    // Only a server knows that there are no subscribers (0x10).
    private static ReadOnlySpan<byte> PubAckFromClient => [0x00, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];

    private static ReadOnlySpan<byte> PubRelAndPubComp => [0x00, 0x92];

    private static ReadOnlySpan<byte> SubAck => [0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2];

    private static ReadOnlySpan<byte> UnsubAck => [0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91];

    // 0x8C is in the table of 2.4 and not in that of 3.14.2.1; a failed re-authentication has no better code.
    private static ReadOnlySpan<byte> DisconnectFromServer =>
    [
        0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B,
        0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2,
    ];

    private static ReadOnlySpan<byte> DisconnectFromClient =>
        [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x8C, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];

    private static ReadOnlySpan<byte> AuthFromServer => [0x00, 0x18];

    private static ReadOnlySpan<byte> AuthFromClient => [0x18, 0x19];

    /// <summary>Whether a 5.0 packet of this type from this end may say so. False for packets without a reason code.</summary>
    public static bool IsLegal(ReasonCode code, PacketType type, PacketSender sender) => (type, sender) switch
    {
        (PacketType.PubAck or PacketType.PubRec, PacketSender.Server) => PubAckFromServer.Contains((byte)code),
        (PacketType.PubAck or PacketType.PubRec, PacketSender.Client) => PubAckFromClient.Contains((byte)code),
        (PacketType.PubRel or PacketType.PubComp, _) => PubRelAndPubComp.Contains((byte)code),
        (PacketType.Disconnect, PacketSender.Server) => DisconnectFromServer.Contains((byte)code),
        (PacketType.Disconnect, PacketSender.Client) => DisconnectFromClient.Contains((byte)code),
        (PacketType.Auth, PacketSender.Server) => AuthFromServer.Contains((byte)code),
        (PacketType.Auth, PacketSender.Client) => AuthFromClient.Contains((byte)code),
        (PacketType.ConnAck, PacketSender.Server) => ConnAck.Contains((byte)code),
        (PacketType.SubAck, PacketSender.Server) => SubAck.Contains((byte)code),
        (PacketType.UnsubAck, PacketSender.Server) => UnsubAck.Contains((byte)code),
        _ => false,
    };

    /// <summary>Refuses to write a code that neither end may send.</summary>
    /// <exception cref="ArgumentException">The code is not one of this packet's.</exception>
    public static void ThrowIfIllegal(ReasonCode code, PacketType type)
    {
        if (!IsLegal(code, type, PacketSender.Server) && !IsLegal(code, type, PacketSender.Client))
        {
            throw new ArgumentException($"{code} (0x{(byte)code:X2}) is not a reason code of {type}.", nameof(code));
        }
    }
}
