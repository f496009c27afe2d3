using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// CONNECT and CONNACK: what we ask for, what an answer means, and which version to speak. It remembers across attempts whether the server may hold our session, the client
/// identifier that it assigned, and that a server does not know our version.
/// </summary>
internal sealed class Handshake(EngineSettings settings)
{
    // A server that answers CONNECT of 5.0 with a CONNACK of 3.1.1 did not read the version at all.
    private static readonly string AcceptedAsOlder = Rules.ConnAckAcceptsAsOlder.BrokenIn(MqttVersion.Mqtt5).Clause;

    private bool _fellBack;
    private bool _hasSession;
    private bool _cleanStart;
    private bool _unanswered;
    private bool _sessionIsUncertain;

    /// <summary>The version of the next or current attempt.</summary>
    public MqttVersion Version { get; private set; } = settings.Version;

    /// <summary>Ours, or the one that the server assigned.</summary>
    public string ClientId { get; private set; } = settings.Connect.ClientId;

    /// <summary>The CONNECT of one attempt.</summary>
    public ConnectPacket Request()
    {
        // 5.0: new once, then resumed. 3.1 and 3.1.1 know one flag for both ends of the session: a client that wants to resume must say so from the start.
        _cleanStart = Version == MqttVersion.Mqtt5
            ? !_hasSession && (settings.CleanStart ?? true)
            : settings.CleanStart ?? settings.ClientIdIsGenerated;
        _sessionIsUncertain |= _unanswered;
        _unanswered = true;
        var template = settings.Connect;
        return new ConnectPacket
        {
            Version = Version,
            CleanStart = _cleanStart,
            ClientId = ClientId,
            KeepAlive = template.KeepAlive,
            UserName = template.UserName,
            Password = template.Password,
            Will = template.Will,
            SessionExpiryInterval = template.SessionExpiryInterval,
            ReceiveMaximum = (ushort)settings.ReceiveMaximum,
            MaximumPacketSize = settings.AnnouncedPacketSize,
            TopicAliasMaximum = (ushort)settings.TopicAliasMaximum,
            RequestResponseInformation = template.RequestResponseInformation,
            RequestProblemInformation = template.RequestProblemInformation,
            AuthenticationMethod = template.AuthenticationMethod,
            AuthenticationData = template.AuthenticationData,
            UserProperties = template.UserProperties,
        };
    }

    /// <summary>What a CONNACK means: accepted, or a reason to close.</summary>
    /// <param name="packet">The answer.</param>
    /// <param name="accepted">What was agreed, if it was.</param>
    public CloseReason? Handle(ConnAckPacket packet, out Accepted? accepted)
    {
        accepted = null;
        _unanswered = false;
        if (packet.ReasonCode.IsFailure())
        {
            return Refusal(packet);
        }

        var expectsSession = !_cleanStart && (_hasSession || settings.CleanStart == false || Version < MqttVersion.Mqtt5);
        if (packet.SessionPresent && !expectsSession)
        {
            return CloseReason.From(new ProtocolViolation(
                ReasonCode.ProtocolError,
                Version == MqttVersion.Mqtt5 ? "MQTT5-3.2.2-4" : "MQTT311-3.2.2-1",
                "The server says that it kept a session and was asked to start a new one."));
        }

        // 3.1 cannot say whether the session is there: what is unanswered is sent again, which 3.1 asks for.
        var sessionKept = Version == MqttVersion.Mqtt31 ? !_cleanStart && _hasSession : packet.SessionPresent;
        _hasSession = true;
        ClientId = packet.AssignedClientIdentifier ?? ClientId;
        accepted = new Accepted(
            Version,
            ClientId,
            sessionKept,
            (packet.ServerKeepAlive ?? settings.Connect.KeepAlive) * TimeSpan.TicksPerSecond,
            packet.SessionExpiryInterval ?? settings.Connect.SessionExpiryInterval ?? 0,
            Session.ServerLimits.From(packet),
            packet)
        {
            SessionIsCertain = Version != MqttVersion.Mqtt31 && !_sessionIsUncertain,
        };
        _sessionIsUncertain = false;
        return null;
    }

    /// <summary>
    /// Whether a failed attempt means that the server does not know our version; then the next one speaks 3.1.1. Once, and not where an authentication method is set, which only
    /// 5.0 has.
    /// </summary>
    public bool FallBack(CloseReason reason, bool closedWithoutAByte)
    {
        var unknownVersion = reason is { Kind: CloseKind.Refused, ReasonCode: ReasonCode.UnsupportedProtocolVersion }
            || (reason.Kind == CloseKind.Violation && reason.Clause == AcceptedAsOlder);
        if (_fellBack)
        {
            if (closedWithoutAByte && Version != settings.Version && !_hasSession)
            {
                // It hung up on 3.1.1 as well, so the version was not the reason.
                Version = settings.Version;
            }

            return false;
        }

        if (!settings.AllowVersionFallback || settings.Version != MqttVersion.Mqtt5 || _hasSession
            || settings.Connect.AuthenticationMethod is not null || !(unknownVersion || closedWithoutAByte))
        {
            return false;
        }

        _fellBack = true;
        Version = MqttVersion.Mqtt311;
        return true;
    }

    private CloseReason Refusal(ConnAckPacket packet) => new(
        CloseKind.Refused,
        $"The server refused the connection: {packet.ReasonCode} (0x{(byte)packet.ReasonCode:X2}){(packet.ReasonString is { } text ? $", \"{text}\"" : "")}.{Advice(packet.ReasonCode)}")
    {
        ReasonCode = packet.ReasonCode,
        ReasonString = packet.ReasonString,
        ServerReference = packet.ServerReference,
        UserProperties = packet.UserProperties,
        IsTransient = CloseReason.IsTransientRefusal(packet.ReasonCode),
    };

    private string Advice(ReasonCode code) => code switch
    {
        ReasonCode.BadUserNameOrPassword or ReasonCode.NotAuthorized when settings.Connect.UserName is null => " No user name was given; set credentials.",
        ReasonCode.BadUserNameOrPassword or ReasonCode.NotAuthorized => " Check the user name and the password.",
        ReasonCode.ClientIdentifierNotValid => $" It does not take the client identifier '{ClientId}'.",
        ReasonCode.UnsupportedProtocolVersion => $" It does not speak {Version}; set MqttClientOptions.Version.",
        _ => "",
    };
}
