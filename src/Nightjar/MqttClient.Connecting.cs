using Nightjar.Connection;
using Nightjar.Protocol.Packets;

namespace Nightjar;

// Connecting and disconnecting.
public sealed partial class MqttClient
{
    /// <summary>Connects and waits for CONNACK; at once if connected. Throws <see cref="MqttConnectException"/>.</summary>
    public Task<ConnectResult> ConnectAsync(CancellationToken cancellationToken = default) => _host.ConnectAsync(ask: true, cancellationToken);

    /// <summary>Waits until there is a connection; asks for none.</summary>
    public Task WhenConnectedAsync(CancellationToken cancellationToken = default) => _host.ConnectAsync(ask: false, cancellationToken);

    /// <summary>Sends DISCONNECT after all that was published before and stays down until asked to connect.</summary>
    public Task DisconnectAsync(DisconnectOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new DisconnectOptions();
        options.ThrowIfInvalid(nameof(options));
        return _host.EndAsync(ToPacket(options), final: false).WaitAsync(cancellationToken);
    }

    private static DisconnectPacket ToPacket(DisconnectOptions options) => new()
    {
        ReasonCode = options.ReasonCode,
        ReasonString = options.ReasonString,
        SessionExpiryInterval = options.SessionExpiryInterval is { } expiry ? EngineSettingsFactory.ToSeconds(expiry) : null,
        UserProperties = options.UserProperties,
    };
}
