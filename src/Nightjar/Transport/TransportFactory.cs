namespace Nightjar.Transport;

/// <summary>Composes the transport that a server asks for.</summary>
internal static class TransportFactory
{
    /// <summary>The way to <paramref name="server"/>. Throws <see cref="NotSupportedException"/> for what was switched off in this build.</summary>
    /// <param name="server">Where to.</param>
    /// <param name="timeProvider">Counts delays between attempts; null: the system's.</param>
    /// <param name="keepAlive">The client's, which says how long a dead link may stay unnoticed; zero: off.</param>
    public static ITransport For(MqttServer server, TimeProvider? timeProvider = null, TimeSpan keepAlive = default)
    {
        if (server.OpenStream is { } open)
        {
            return new StreamTransport(server, open);
        }

        var tcp = new TcpTransport(server, timeProvider ?? TimeProvider.System, keepAlive, TcpSeams.System);
        if (!server.UsesTls)
        {
            return tcp;
        }

        // The trimmer sees a constant here when the switch is off, and drops TLS with all that it needs.
        return TlsFeature.IsSupported ? new TlsTransport(server, tcp) : throw new NotSupportedException($"Cannot connect to {server}: {TlsFeature.SwitchedOff}");
    }
}
