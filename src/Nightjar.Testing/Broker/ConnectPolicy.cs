using System.Security.Cryptography;
using System.Text;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;

namespace Nightjar.Testing.Broker;

/// <summary>Whether a CONNECT is accepted, and what CONNACK says (MQTT 5, 3.1.4 and 3.2).</summary>
internal sealed class ConnectPolicy(BrokerState state, BrokerConnection connection)
{
    /// <summary>Accepts or refuses, and answers.</summary>
    public bool TryAccept(ConnectPacket connect, out string clientId)
    {
        clientId = connect.ClientId;
        if (!state.Options.Versions.Contains(connect.Version))
        {
            Refuse(ReasonCode.UnsupportedProtocolVersion, null, VersionOfRefusal(connect.Version));
            return false;
        }

        var refusal = Judge(connect, ref clientId);
        if (refusal.Code.IsFailure())
        {
            Refuse(refusal.Code, refusal.Text, connect.Version);
            return false;
        }

        lock (state.Gate)
        {
            var (session, present) = state.Sessions.Attach(connection, clientId, connect);
            var expiry = connect.Version == MqttVersion.Mqtt5 ? connect.SessionExpiryInterval ?? 0 : connect.CleanStart ? 0 : uint.MaxValue;
            var granted = connect.Version == MqttVersion.Mqtt5 ? Math.Min(expiry, state.Options.MaximumSessionExpiryInterval ?? uint.MaxValue) : expiry;
            session.Expiry = Expiry(granted);
            var serverKeepAlive = connect.Version == MqttVersion.Mqtt5 ? state.Options.ServerKeepAlive : null;
            connection.Accept(connect, serverKeepAlive ?? connect.KeepAlive);
            connection.Send(Acceptance(connect, clientId, present, granted == expiry ? null : granted));
            session.Outbox.Resume(connection);
        }

        state.Changed.Raise();
        return true;
    }

    /// <summary>
    /// What came was no legal CONNECT, or a callback of the test's failed. In 5.0 the client may learn why; before that only of an unknown version and of
    /// an empty identifier that needs a clean session [MQTT311-3.1.2-2, MQTT311-3.1.3-8], else the connection just ends.
    /// </summary>
    public void Reject(ReasonCode code, string text)
    {
        if (code is ReasonCode.UnsupportedProtocolVersion or ReasonCode.ClientIdentifierNotValid || connection.Version == MqttVersion.Mqtt5)
        {
            var legal = ReasonCodeTable.IsLegal(code, PacketType.ConnAck, PacketSender.Server);
            Refuse(legal ? code : ReasonCode.ProtocolError, text, VersionOfRefusal(connection.Version));
            return;
        }

        lock (state.Gate)
        {
            connection.Close();
        }
    }

    /// <summary>Seconds as CONNECT and DISCONNECT have them: all ones means for ever (3.1.2.11.2).</summary>
    public TimeSpan? Expiry(uint seconds)
    {
        var limited = connection.Version == MqttVersion.Mqtt5 ? Math.Min(seconds, state.Options.MaximumSessionExpiryInterval ?? uint.MaxValue) : seconds;
        return limited == uint.MaxValue ? null : TimeSpan.FromSeconds(limited);
    }

    private (ReasonCode Code, string? Text) Judge(ConnectPacket connect, ref string clientId)
    {
        if (state.TakeRefusal(out var refusal))
        {
            return refusal;
        }

        if (clientId.Length == 0)
        {
            clientId = state.AssignClientId();
        }

        if (connect.AuthenticationMethod is not null)
        {
            return (ReasonCode.BadAuthenticationMethod, "The test broker knows no enhanced authentication.");
        }

        if (connect.Will is { } will && will.QoS > state.Options.MaximumQoS)
        {
            return (ReasonCode.QoSNotSupported, "The will's QoS is above the broker's Maximum QoS [MQTT5-3.2.2-12].");
        }

        if (connect.Will is { Retain: true } && !state.Options.RetainAvailable)
        {
            return (ReasonCode.RetainNotSupported, "The will is to be retained, and the broker does not retain [MQTT5-3.2.2-13].");
        }

        if (!KnowsUser(connect))
        {
            return (ReasonCode.BadUserNameOrPassword, null);
        }

        var login = new BrokerLogin(clientId, connect.Version, connect.UserName, connect.Password);
        var verdict = state.Options.Authenticate?.Invoke(login) ?? ReasonCode.Success;
        return ReasonCodeTable.IsLegal(verdict, PacketType.ConnAck, PacketSender.Server)
            ? (verdict, null)
            : (ReasonCode.ImplementationSpecificError, $"Authenticate said {verdict}, which CONNACK cannot say.");
    }

    private bool KnowsUser(ConnectPacket connect)
    {
        var users = state.Options.Users;
        if (users.Count == 0)
        {
            return true;
        }

        return connect.UserName is { } name
            && users.TryGetValue(name, out var password)
            && connect.Password is { } given
            && CryptographicOperations.FixedTimeEquals(given.Span, Encoding.UTF8.GetBytes(password));
    }

    private ConnAckPacket Acceptance(ConnectPacket connect, string clientId, bool present, uint? expiry)
    {
        var options = state.Options;
        return new ConnAckPacket
        {
            // 3.1 has no such flag.
            SessionPresent = present && connect.Version != MqttVersion.Mqtt31,
            SessionExpiryInterval = expiry,
            ReceiveMaximum = options.ReceiveMaximum == ushort.MaxValue ? null : options.ReceiveMaximum,
            MaximumQoS = options.MaximumQoS == QoS.ExactlyOnce ? null : options.MaximumQoS,
            RetainAvailable = options.RetainAvailable ? null : false,
            MaximumPacketSize = (uint?)options.MaximumPacketSize,
            AssignedClientIdentifier = connect.ClientId.Length == 0 ? clientId : null,
            TopicAliasMaximum = options.TopicAliasMaximum == 0 ? null : options.TopicAliasMaximum,
            WildcardSubscriptionAvailable = options.WildcardSubscriptionAvailable ? null : false,
            SubscriptionIdentifiersAvailable = options.SubscriptionIdentifiersAvailable ? null : false,
            SharedSubscriptionAvailable = options.SharedSubscriptionAvailable ? null : false,
            ServerKeepAlive = options.ServerKeepAlive,
            ResponseInformation = connect.RequestResponseInformation == true ? options.ResponseInformation : null,
        };
    }

    private void Refuse(ReasonCode code, string? text, MqttVersion version)
    {
        lock (state.Gate)
        {
            var refusal = version == MqttVersion.Mqtt5
                ? new ConnAckPacket { ReasonCode = code, ReasonString = text }
                : new ConnAckPacket { ReasonCode = BeforeVersion5(code) };
            connection.Send(refusal, version);
            connection.Close();
        }
    }

    /// <summary>3.1 and 3.1.1 have five codes; what they cannot say becomes "server unavailable".</summary>
    private static ReasonCode BeforeVersion5(ReasonCode code) => code switch
    {
        ReasonCode.UnsupportedProtocolVersion or ReasonCode.ClientIdentifierNotValid or ReasonCode.BadUserNameOrPassword or ReasonCode.NotAuthorized => code,
        _ => ReasonCode.ServerUnavailable,
    };

    /// <summary>A server that does not know a newer version answers in the newest that it knows [MQTT311-3.1.2-2].</summary>
    private MqttVersion VersionOfRefusal(MqttVersion asked)
    {
        var newest = state.Options.Versions.Max();
        return asked > newest ? newest : asked;
    }
}
