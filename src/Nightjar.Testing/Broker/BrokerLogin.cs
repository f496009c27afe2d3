namespace Nightjar.Testing;

/// <summary>What a client says about itself in CONNECT; see <see cref="MqttTestBrokerOptions.Authenticate"/>.</summary>
public sealed class BrokerLogin
{
    internal BrokerLogin(string clientId, MqttVersion version, string? userName, ReadOnlyMemory<byte>? password)
    {
        ClientId = clientId;
        Version = version;
        UserName = userName;
        Password = password;
    }

    /// <summary>Its identifier, or the one that it is about to be given.</summary>
    public string ClientId { get; }

    /// <summary>The version of the protocol.</summary>
    public MqttVersion Version { get; }

    /// <summary>Null: none was sent.</summary>
    public string? UserName { get; }

    /// <summary>Null: none was sent.</summary>
    public ReadOnlyMemory<byte>? Password { get; }

    /// <summary>The client and its user name, never the password.</summary>
    public override string ToString() => $"{ClientId} {Version} {UserName}";
}
