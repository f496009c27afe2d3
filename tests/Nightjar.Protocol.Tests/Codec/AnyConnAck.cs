using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Tests.Codec;

/// <summary>Any legal CONNACK.</summary>
internal static class AnyConnAck
{
    public static ConnAckPacket From(Choices choices)
    {
        var code = choices.Flag() ? ReasonCode.Success : AnyPacket.Code(choices, PacketType.ConnAck, PacketSender.Server);
        return new()
        {
            SessionPresent = code == ReasonCode.Success && choices.Flag(),
            ReasonCode = code,
            SessionExpiryInterval = choices.Perhaps(choices.FourBytes),
            ReceiveMaximum = choices.Perhaps(() => Math.Max(choices.TwoBytes(), (ushort)1)),
            MaximumQoS = choices.Perhaps(() => choices.Of(QoS.AtMostOnce, QoS.AtLeastOnce)),
            RetainAvailable = choices.Perhaps(choices.Flag),
            MaximumPacketSize = choices.Perhaps(() => Math.Max(choices.FourBytes(), 1)),
            AssignedClientIdentifier = choices.PerhapsText(),
            TopicAliasMaximum = choices.Perhaps(choices.TwoBytes),
            ReasonString = choices.PerhapsText(),
            WildcardSubscriptionAvailable = choices.Perhaps(choices.Flag),
            SubscriptionIdentifiersAvailable = choices.Perhaps(choices.Flag),
            SharedSubscriptionAvailable = choices.Perhaps(choices.Flag),
            ServerKeepAlive = choices.Perhaps(choices.TwoBytes),
            ResponseInformation = choices.PerhapsText(),
            ServerReference = choices.PerhapsText(),
            AuthenticationMethod = choices.PerhapsText(),
            AuthenticationData = AnyConnect.Perhaps(choices),
            UserProperties = choices.UserProperties(),
        };
    }

    public static ConnAckPacket Older(Choices choices, MqttVersion version)
    {
        var code = choices.Of(
            ReasonCode.Success,
            ReasonCode.UnsupportedProtocolVersion,
            ReasonCode.ClientIdentifierNotValid,
            ReasonCode.ServerUnavailable,
            ReasonCode.BadUserNameOrPassword,
            ReasonCode.NotAuthorized);
        return new()
        {
            ReasonCode = code,
            SessionPresent = code == ReasonCode.Success && version == MqttVersion.Mqtt311 && choices.Flag(),
        };
    }
}
