namespace Nightjar.Protocol.Codec;

/// <summary>Which end a decoder listens to: it decides which packets are legal.</summary>
public enum PacketSender : byte
{
    /// <summary>The bytes come from a server; the decoder serves a client.</summary>
    Server,

    /// <summary>The bytes come from a client; the decoder serves a broker.</summary>
    Client,
}
