namespace Nightjar;

// Looking at the link, and holding back.
public sealed partial class MqttClient
{
    /// <summary>What the client did and what it holds; a snapshot, cheap enough for a look each second.</summary>
    public ClientStatistics Statistics => _host.Statistics;

    /// <summary>
    /// Sends PINGREQ and waits for PINGRESP; returns the time from writing the one to reading the other. Calls share a PINGREQ that is on its way, keep-alive's own
    /// too. If the server stays silent for half the
    /// keep-alive (30 s if that is off), the connection is given up as after any unanswered PINGREQ. Legal in every state.
    /// </summary>
    /// <exception cref="MqttDisconnectedException">There is no connection, or it ended meanwhile.</exception>
    /// <exception cref="MqttTimeoutException">No PINGRESP came in time, though other packets did; the connection goes on.</exception>
    /// <exception cref="ObjectDisposedException">The client is closed.</exception>
    public Task<TimeSpan> PingAsync(CancellationToken cancellationToken = default) => _host.PingAsync(cancellationToken);

    /// <summary>
    /// Puts more space between the messages that leave, whatever their QoS, for instance because a message of the server's asks for it. The space doubles, or grows by
    /// <paramref name="delay"/>,
    /// whichever is more, up to <see cref="PaceOptions.MaximumDelay"/>; it halves every 30 s, and below a sixteenth of a second it is gone.
    /// </summary>
    /// <param name="delay">More than zero.</param>
    public void Throttle(TimeSpan delay)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(delay, TimeSpan.Zero);
        _host.Throttle(delay);
    }
}
