using System.Net;
using System.Net.Sockets;

namespace Nightjar.Transport;

/// <summary>
/// TCP: resolves the name anew for each attempt and tries its addresses one after the other. The sizes of the socket's buffers stay the system's, which tunes them
/// itself as long as nobody sets them; TCP keep-alive stays off, MQTT has its own.
/// </summary>
internal sealed class TcpTransport(MqttServer server) : ITransport
{
    public async ValueTask<Stream> ConnectAsync(Action<ConnectStage> atStage, CancellationToken cancellationToken)
    {
        var addresses = await ResolveAsync(atStage, cancellationToken).ConfigureAwait(false);
        atStage(ConnectStage.Tcp);
        var failures = new List<(IPAddress Address, SocketException Error)>();
        foreach (var address in addresses)
        {
            PlaintextCredentials.ThrowIfExposed(server, address);
            try
            {
                return await OpenAsync(address, cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException e)
            {
                cancellationToken.ThrowIfCancellationRequested();
                failures.Add((address, e));
            }
        }

        throw ConnectFailure.Transient(server, ConnectStage.Tcp, Explain(failures), failures[^1].Error);
    }

    private async ValueTask<IPAddress[]> ResolveAsync(Action<ConnectStage> atStage, CancellationToken cancellationToken)
    {
        if (!IPAddress.TryParse(server.Host, out var literal))
        {
            atStage(ConnectStage.Dns);
        }

        try
        {
            IPAddress[] all = literal is null ? await Dns.GetHostAddressesAsync(server.Host, cancellationToken).ConfigureAwait(false) : [literal];
            var usable = server.LocalAddress is { } local ? Array.FindAll(all, address => address.AddressFamily == local.AddressFamily) : all;
            return (all, usable) switch
            {
                (_, { Length: > 0 }) => usable,
                ({ Length: > 0 }, _) => throw ConnectFailure.Permanent(
                    server, ConnectStage.Tcp, $"its addresses ({string.Join(", ", all.AsEnumerable())}) cannot be reached from the local address {server.LocalAddress}, which is of another family"),
                _ => throw ConnectFailure.Transient(server, ConnectStage.Dns, "its name has no address"),
            };
        }
        catch (SocketException e)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw ConnectFailure.Transient(
                server,
                ConnectStage.Dns,
                e.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData
                    ? "its name is not known (is it spelt right?)"
                    : $"its name could not be resolved ({e.Message.TrimEnd('.')})",
                e);
        }
    }

    private async ValueTask<Stream> OpenAsync(IPAddress address, CancellationToken cancellationToken)
    {
        // Packets leave in batches already; Nagle's algorithm would only delay the last one.
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (server.LocalAddress is { } local)
            {
                socket.Bind(new IPEndPoint(local, port: 0));
            }

            await socket.ConnectAsync(new IPEndPoint(address, server.Port), cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>One reason if there is one, else one for each address.</summary>
    private string Explain(List<(IPAddress Address, SocketException Error)> failures)
    {
        if (failures.Count == 1)
        {
            return Explain(failures[0].Error);
        }

        return failures.TrueForAll(failure => failure.Error.SocketErrorCode == failures[0].Error.SocketErrorCode)
            ? $"{Explain(failures[0].Error)} at {string.Join(", ", failures.Select(failure => failure.Address))}"
            : string.Join("; ", failures.Select(failure => $"{failure.Address}: {Explain(failure.Error)}"));
    }

    private string Explain(SocketException error) => error.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "connection refused (is a broker running there?)",
        SocketError.TimedOut => "no answer (is a firewall between?)",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => "no route leads there (is the network up?)",
        SocketError.AddressNotAvailable when server.LocalAddress is { } local => $"the local address {local} is not one of this machine's",
        _ => error.Message.TrimEnd('.'),
    };
}
