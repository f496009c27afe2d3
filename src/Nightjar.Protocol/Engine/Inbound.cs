using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Session;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// The inbound half of one connection: decoder and inbound aliases. It belongs to the receive loop and needs no lock; it decides nothing but
/// whether the bytes are MQTT.
/// </summary>
/// <param name="version">What was asked for.</param>
/// <param name="maximumPacketSize">A larger packet breaks the rules.</param>
/// <param name="topicAliasMaximum">How many aliases the server may use.</param>
/// <param name="piecesAbove">A larger PUBLISH comes in pieces.</param>
internal sealed class Inbound(MqttVersion version, int maximumPacketSize, int topicAliasMaximum, int piecesAbove = int.MaxValue)
{
    private readonly PacketDecoder _decoder = new(PacketSender.Server, version, maximumPacketSize) { PiecesAbove = piecesAbove };
    private readonly InboundAliases _aliases = new(topicAliasMaximum);
    private bool _broken;

    /// <summary>How large the packet is that <see cref="Parse"/> stopped in; 0 while that is not known.</summary>
    public int BytesNeeded => _decoder.BytesNeeded;

    /// <summary>
    /// Parses all complete packets of a chunk into the batch, and what there is of one that comes in pieces, and returns how many bytes they took. From a violation on nothing is parsed any more: all that comes is
    /// dropped, and need not be kept.
    /// </summary>
    public int Parse(ReadOnlySpan<byte> chunk, InboundBatch batch)
    {
        var position = 0;
        while (!_broken)
        {
            var status = _decoder.Decode(chunk[position..], bufferFull: false, out var decoded, out var consumed);
            switch (status)
            {
                case DecodeStatus.NeedMore:
                    return position;
                case DecodeStatus.Violation:
                    batch.Violation = _decoder.Violation;
                    _broken = true;
                    continue;
                case DecodeStatus.Payload or DecodeStatus.PublishEnd:
                    position += consumed;
                    batch.AddPiece(decoded, position, isLast: status == DecodeStatus.PublishEnd);
                    continue;
            }

            position += consumed;
            ref var packet = ref batch.Add(decoded, chunk, position);
            packet.Part = status == DecodeStatus.PublishBegin ? PublishPart.Begin : PublishPart.Whole;
            if (packet.Type == PacketType.Publish && decoded.Publish.TopicAlias is var alias && (alias != 0 || packet.TopicLength == 0))
            {
                packet.AliasedTopic = _aliases.Resolve(alias, decoded.Publish.Topic);
                if (packet.AliasedTopic is null)
                {
                    batch.Violation = new ProtocolViolation(
                        ReasonCode.TopicAliasInvalid, "MQTT5-3.3.2-9", $"The server used topic alias {alias}; it may use 1 to {topicAliasMaximum}, each with a topic first.");
                    packet.Type = PacketType.None;
                    _broken = true;
                }
            }
        }

        return chunk.Length;
    }
}
