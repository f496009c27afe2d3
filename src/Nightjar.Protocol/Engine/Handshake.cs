using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Journal;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// CONNECT and CONNACK: what we ask for, what an answer means, and which version to speak. It remembers across attempts where our session is, the client identifiers that servers
/// assigned, and which servers do not know our version.
/// </summary>
internal sealed class Handshake
{
    // A server that answers CONNECT of 5.0 with a CONNACK of 3.1.1 did not read the version at all.
    private static readonly string AcceptedAsOlder = Rules.ConnAckAcceptsAsOlder.BrokenIn(MqttVersion.Mqtt5).Clause;

    private readonly Dictionary<string, ServerMemory> _memories = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _assigned = new(StringComparer.Ordinal);
    private EngineSettings _settings;
    private ServerMemory _memory;
    private string? _session;
    private string? _generated;
    private bool _assumesSession;
    private string? _emptied;
    private bool _cleanStart;
    private bool _unanswered;
    private bool _sessionIsUncertain;

    public Handshake(EngineSettings settings)
    {
        _settings = settings;
        Target = settings.AllServers[0];
        _memory = Remember(Target);
    }

    /// <summary>The server of the current or last attempt.</summary>
    public ServerSettings Target { get; private set; }

    /// <summary>The version of the next or current attempt.</summary>
    public MqttVersion Version => _memory.Version;

    /// <summary>Ours, or the one that the server assigned.</summary>
    public string ClientId => Target.Connect.ClientId is not { Length: > 0 } given
        ? _assigned.GetValueOrDefault(Target.Keeper, "")
        : Target.ClientIdIsGenerated && _generated is not null ? _generated : given;

    /// <summary>What must be known in another process: whose session it is, and where.</summary>
    public SessionIdentity Identity => new()
    {
        GeneratedClientId = Target.ClientIdIsGenerated ? ClientId : _generated,
        Session = _session,
        Emptied = _emptied,
        Assigned = [.. _assigned.Select(pair => (pair.Key, pair.Value))],
    };

    /// <summary>
    /// Whether this CONNECT only empties a session of before: until 5.0 a clean session is one that the server does not keep afterwards either, so one that is both new and
    /// kept takes two connections.
    /// </summary>
    public bool OnlyEmpties { get; private set; }

    private string Key => Target.SessionKey(ClientId);

    // The server that was left behind may hold identifiers of messages that have gone elsewhere since.
    private bool IsElsewhere => _session is not null && _session != Key && _emptied != Key;

    private bool HasSession => _session == Key;

    /// <summary>Other settings from the next attempt on. What is known of servers and of the session stays true, unless another version is to be spoken.</summary>
    public void Update(EngineSettings settings)
    {
        if (settings.Version != _settings.Version)
        {
            _memories.Clear();
        }

        _settings = settings;
        Begin(settings.AllServers[0]);
    }

    /// <summary>The session is that of an earlier process.</summary>
    public void Restore(RestoredSession session)
    {
        _generated = session.Identity?.GeneratedClientId;
        _session = session.Identity?.Session;
        _emptied = session.Identity?.Emptied;
        foreach (var (keeper, clientId) in session.Identity?.Assigned ?? [])
        {
            _assigned[keeper] = clientId;
        }

        _unanswered = session.IsUncertain;

        // Where it was is lost. The next server is the best guess: if it is another one, it says that it has no such session.
        _assumesSession = session is { HasState: true, IsDamaged: true } && _session is null;
    }

    /// <summary>The next attempt is for this server.</summary>
    public void Begin(ServerSettings target)
    {
        Target = target;
        _memory = Remember(target);
    }

    /// <summary>The CONNECT of one attempt.</summary>
    public ConnectPacket Request()
    {
        if (_assumesSession)
        {
            _assumesSession = false;
            _session = Key;
        }

        // 5.0: new once, then resumed. 3.1 and 3.1.1 know one flag for both ends of the session: a client that wants to resume must say so from the start.
        var endsWithConnection = Version < MqttVersion.Mqtt5 && (Target.CleanStart ?? (Target.ClientIdIsGenerated && !_settings.HasStore));
        OnlyEmpties = Version < MqttVersion.Mqtt5 && IsElsewhere && !endsWithConnection;
        _cleanStart = Version == MqttVersion.Mqtt5
            ? !HasSession && (_session is not null || (Target.CleanStart ?? true))
            : endsWithConnection || OnlyEmpties;
        _sessionIsUncertain |= _unanswered;
        _unanswered = true;
        var template = Target.Connect;
        return new ConnectPacket
        {
            Version = Version,
            CleanStart = _cleanStart,
            ClientId = ClientId,
            KeepAlive = template.KeepAlive,
            UserName = Target.IsReferred ? null : template.UserName,
            Password = Target.IsReferred ? null : template.Password,
            Will = OnlyEmpties ? null : template.Will,
            SessionExpiryInterval = template.SessionExpiryInterval,
            ReceiveMaximum = (ushort)_settings.ReceiveMaximum,
            MaximumPacketSize = _settings.AnnouncedPacketSize,
            TopicAliasMaximum = (ushort)_settings.TopicAliasMaximum,
            RequestResponseInformation = template.RequestResponseInformation,
            RequestProblemInformation = template.RequestProblemInformation,
            AuthenticationMethod = Target.IsReferred ? null : template.AuthenticationMethod,
            AuthenticationData = Target.IsReferred ? null : template.AuthenticationData,
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

        var expectsSession = !_cleanStart && (HasSession || Target.CleanStart == false || Version < MqttVersion.Mqtt5);
        if (packet.SessionPresent && !_cleanStart && _emptied == Key)
        {
            // It was emptied a moment ago: another client with this identifier was faster.
            _emptied = null;
            return new CloseReason(CloseKind.TransportLost, $"Another client uses the client identifier '{ClientId}' at the same time.");
        }

        if (packet.SessionPresent && !expectsSession)
        {
            return CloseReason.From(new ProtocolViolation(
                ReasonCode.ProtocolError,
                Version == MqttVersion.Mqtt5 ? "MQTT5-3.2.2-4" : "MQTT311-3.2.2-1",
                "The server says that it kept a session and was asked to start a new one."));
        }

        // 3.1 cannot say whether the session is there: what is unanswered is sent again, which 3.1 asks for.
        var sessionKept = Version == MqttVersion.Mqtt31 ? !_cleanStart && HasSession : packet.SessionPresent;
        if (packet.AssignedClientIdentifier is { } assigned)
        {
            _assigned[Target.Keeper] = assigned;
        }

        var elsewhere = _session is not null && _session != Key;
        if (OnlyEmpties)
        {
            // Ours is where it was until the next CONNECT.
            _emptied = Key;
        }
        else
        {
            _session = Key;
            _emptied = null;
        }

        accepted = new Accepted(
            Version,
            ClientId,
            sessionKept,
            (packet.ServerKeepAlive ?? Target.Connect.KeepAlive) * TimeSpan.TicksPerSecond,
            packet.SessionExpiryInterval ?? Target.Connect.SessionExpiryInterval ?? 0,
            Session.ServerLimits.From(packet),
            packet)
        {
            IsElsewhere = elsewhere,
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
        if (_memory.FellBack)
        {
            if (closedWithoutAByte && Version != _settings.Version && !HasSession)
            {
                // It hung up on 3.1.1 as well, so the version was not the reason.
                _memory.Version = _settings.Version;
            }

            return false;
        }

        if (!_settings.AllowVersionFallback || _settings.Version != MqttVersion.Mqtt5 || HasSession
            || Target.Connect.AuthenticationMethod is not null || !(unknownVersion || closedWithoutAByte))
        {
            return false;
        }

        _memory.FellBack = true;
        _memory.Version = MqttVersion.Mqtt311;
        return true;
    }

    private ServerMemory Remember(ServerSettings target)
    {
        if (!_memories.TryGetValue(target.Name, out var memory))
        {
            _memories[target.Name] = memory = new ServerMemory { Version = _settings.Version };
        }

        return memory;
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
        ReasonCode.BadUserNameOrPassword or ReasonCode.NotAuthorized when Target.Connect.UserName is null || Target.IsReferred => " No user name was given; set credentials.",
        ReasonCode.BadUserNameOrPassword or ReasonCode.NotAuthorized => " Check the user name and the password.",
        ReasonCode.ClientIdentifierNotValid => $" It does not take the client identifier '{ClientId}'.",
        ReasonCode.UnsupportedProtocolVersion => $" It does not speak {Version}; set MqttClientOptions.Version.",
        _ => "",
    };

    /// <summary>What is known of one server.</summary>
    private sealed class ServerMemory
    {
        public MqttVersion Version { get; set; }

        public bool FellBack { get; set; }
    }
}
