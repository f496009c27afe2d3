using Nightjar.Connection;
using Nightjar.Protocol.Packets;

namespace Nightjar;

// Connecting and disconnecting.
public sealed partial class MqttClient
{
    /// <summary>
    /// Opens the session's store (<see cref="SessionOptions.Store"/>) and restores what lies in it: the client identifier, messages that were not sent or not answered, messages that were received and not
    /// handled. Does not connect. At once if it is open, and without a store. Every use of the client opens it, and whatever is asked meanwhile is done afterwards, in order; so calling this is for those who want
    /// to know before. Subscriptions that should get what an earlier process left unhandled are best made before.
    /// </summary>
    /// <exception cref="StorageException">It could not be opened; the message says why. The next use tries again.</exception>
    /// <exception cref="ObjectDisposedException">The client is closed.</exception>
    public Task OpenAsync(CancellationToken cancellationToken = default) => _host.OpenAsync(cancellationToken);

    /// <summary>
    /// Connects and waits for CONNACK; at once if connected. Where the next attempt waits for its time, it is awaited (<see cref="ReconnectNowAsync"/> does not wait); a connection
    /// window is not. Throws <see cref="MqttConnectException"/>.
    /// </summary>
    public Task<ConnectResult> ConnectAsync(CancellationToken cancellationToken = default) => _host.ConnectAsync(ConnectWish.ByHand, cancellationToken);

    /// <summary>
    /// The next attempt begins now, whatever it waits for; then as <see cref="ConnectAsync"/>. While connecting or connected there is nothing to hasten, so several calls at
    /// once make one attempt. If that fails, delays go on where they were.
    /// </summary>
    public Task<ConnectResult> ReconnectNowAsync(CancellationToken cancellationToken = default) => _host.ConnectAsync(ConnectWish.AtOnce, cancellationToken);

    /// <summary>Waits until there is a connection; at once if there is; asks for none.</summary>
    public Task WhenConnectedAsync(CancellationToken cancellationToken = default) => _host.ConnectAsync(ConnectWish.None, cancellationToken);

    /// <summary>
    /// Goes on with other options. They are validated first: if they cannot work, this throws <see cref="ArgumentException"/> and nothing changes. A connection ends in order, after what is
    /// in flight (up to <see cref="MqttClientOptions.DrainTimeout"/>), and the next one is made with the new options; subscriptions and messages that wait are kept, and the
    /// session too if server and client identifier stay the same. A client that is down stays down.
    /// </summary>
    /// <param name="options">
    /// All of them. <see cref="MqttClientOptions.Outbox"/>, <see cref="MqttClientOptions.Receive"/>, <see cref="MqttClientOptions.HandlerContext"/>,
    /// <see cref="MqttClientOptions.TimeProvider"/>, <see cref="MqttClientOptions.LoggerFactory"/>, <see cref="MqttClientOptions.Telemetry"/>,
    /// <see cref="MqttClientOptions.PacketInspector"/>, <see cref="SessionOptions.SubscriptionIdentifiers"/>, <see cref="SessionOptions.Store"/> and <see cref="RequestOptions.MaximumPending"/> stay those of
    /// the constructor.
    /// </param>
    /// <param name="cancellationToken">Ends the wait, not the change.</param>
    /// <returns>Ends when the options are in force; <see cref="WhenConnectedAsync"/> then waits for the new connection.</returns>
    public Task UpdateOptionsAsync(MqttClientOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return _host.UpdateAsync(options.Snapshot()).WaitAsync(cancellationToken);
    }

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
