using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Session;

namespace Nightjar.Protocol.Engine;

/// <summary>What a server's limits say to one message.</summary>
internal readonly record struct SendLimit(ReasonCode ReasonCode, string Message)
{
    /// <summary>Null if the server takes the message; <paramref name="qos"/> is lowered if that is allowed and needed.</summary>
    public static SendLimit? Check(ServerLimits limits, MqttVersion version, in PublishPacket packet, bool lowerQoS, out QoS qos)
    {
        qos = packet.QoS;
        if (qos > limits.MaximumQoS)
        {
            if (!lowerQoS)
            {
                return new SendLimit(
                    ReasonCode.QoSNotSupported,
                    $"The server does, or OutboxOptions.MaximumQoS allows, QoS {(int)limits.MaximumQoS} at most and the message asks for QoS {(int)qos} (MQTT5-3.2.2-11); "
                    + "publish with less, or set OutboxOptions.LowerQoS.");
            }

            qos = limits.MaximumQoS;
        }

        if (packet.Retain && !limits.RetainAvailable)
        {
            return new SendLimit(ReasonCode.RetainNotSupported, "The server does not retain messages (MQTT5-3.2.2-14); publish without retain.");
        }

        // The common case needs no exact size: nobody's limit is below what the parts can add up to.
        var roughly = packet.Topic.Length + packet.Properties.Length + packet.Payload.Length + 32;
        if (roughly <= limits.MaximumPacketSize && roughly < VariableByteIntegerLimit)
        {
            return null;
        }

        var size = PacketWriter.GetSize(packet, version);
        if (size < 0)
        {
            return new SendLimit(ReasonCode.PacketTooLarge, "The message makes a packet of more than 268,435,460 bytes, the most that MQTT can say; split the payload.");
        }

        return size <= limits.MaximumPacketSize
            ? null
            : new SendLimit(
                ReasonCode.PacketTooLarge,
                $"The message makes a packet of {size} bytes and the server takes {limits.MaximumPacketSize} at most (MQTT5-3.2.2-15); send less, or in parts.");
    }

    private const int VariableByteIntegerLimit = 268_435_455;
}
