using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Tests.Codec;

/// <summary>Any legal CONNECT of a version.</summary>
internal static class AnyConnect
{
    public static ConnectPacket From(Choices choices, MqttVersion version)
    {
        if (version != MqttVersion.Mqtt5)
        {
            return Older(choices, version);
        }

        var method = choices.PerhapsText();
        return new()
        {
            CleanStart = choices.Flag(),
            KeepAlive = choices.TwoBytes(),
            ClientId = choices.Text(),
            UserName = choices.PerhapsText(),
            Password = Perhaps(choices),
            Will = choices.Flag() ? Will(choices) : null,
            SessionExpiryInterval = choices.Perhaps(choices.FourBytes),
            ReceiveMaximum = choices.Perhaps(() => Math.Max(choices.TwoBytes(), (ushort)1)),
            MaximumPacketSize = choices.Perhaps(() => Math.Max(choices.FourBytes(), 1)),
            TopicAliasMaximum = choices.Perhaps(choices.TwoBytes),
            RequestResponseInformation = choices.Perhaps(choices.Flag),
            RequestProblemInformation = choices.Perhaps(choices.Flag),
            AuthenticationMethod = method,
            AuthenticationData = method is null ? null : Perhaps(choices),
            UserProperties = choices.UserProperties(),
        };
    }

    public static ReadOnlyMemory<byte>? Perhaps(Choices choices) =>
        choices.Flag() ? new ReadOnlyMemory<byte>?(choices.Data()) : null;

    private static ConnectPacket Older(Choices choices, MqttVersion version)
    {
        var cleanStart = choices.Flag();
        var userName = choices.PerhapsText();
        return new()
        {
            Version = version,
            CleanStart = cleanStart,
            KeepAlive = choices.TwoBytes(),
            ClientId = cleanStart && version == MqttVersion.Mqtt311 ? choices.Text() : $"id{choices.Text()}",
            UserName = userName,
            Password = userName is null ? null : Perhaps(choices),
            Will = choices.Flag() ? OlderWill(choices) : null,
        };
    }

    private static WillPacket OlderWill(Choices choices) => new()
    {
        Topic = choices.Topic(),
        Payload = choices.Data(),
        QoS = choices.Of(QoS.AtMostOnce, QoS.AtLeastOnce, QoS.ExactlyOnce),
        Retain = choices.Flag(),
    };

    private static WillPacket Will(Choices choices) => new()
    {
        Topic = choices.Topic(),
        Payload = choices.Data(),
        QoS = choices.Of(QoS.AtMostOnce, QoS.AtLeastOnce, QoS.ExactlyOnce),
        Retain = choices.Flag(),
        DelayInterval = choices.Perhaps(choices.FourBytes),
        PayloadFormat = choices.Perhaps(() => choices.Of(PayloadFormat.Unspecified, PayloadFormat.Utf8)),
        MessageExpiryInterval = choices.Perhaps(choices.FourBytes),
        ContentType = choices.PerhapsText(),
        ResponseTopic = choices.Flag() ? choices.Topic() : null,
        CorrelationData = Perhaps(choices),
        UserProperties = choices.UserProperties(),
    };
}
