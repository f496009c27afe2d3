namespace Nightjar.Protocol.Codec;

/// <summary>What <see cref="PacketDecoder.Decode"/> found.</summary>
public enum DecodeStatus : byte
{
    /// <summary>The packet is not complete; see <see cref="PacketDecoder.BytesNeeded"/>.</summary>
    NeedMore,

    /// <summary>A whole packet.</summary>
    Packet,

    /// <summary>The start of a PUBLISH that does not fit the buffer: everything but its payload.</summary>
    PublishBegin,

    /// <summary>A piece of that payload.</summary>
    Payload,

    /// <summary>The last piece of that payload.</summary>
    PublishEnd,

    /// <summary>The peer broke a rule; the connection must end. See <see cref="PacketDecoder.Violation"/>.</summary>
    Violation,
}
