using System.Net;
using System.Net.Sockets;
using System.Runtime.ExceptionServices;

namespace Nightjar.Transport;

/// <summary>
/// TCP: resolves the name anew for each attempt and races its addresses (<see cref="AddressRace"/>). The sizes of the socket's buffers stay the system's, which tunes them
/// itself as long as nobody sets them; TCP keep-alive stays off, MQTT has its own.
/// </summary>
internal sealed class TcpTransport(MqttServer server, TimeProvider timeProvider, TimeSpan keepAlive, TcpSeams seams) : ITransport
{
    public async ValueTask<Stream> ConnectAsync(Action<ConnectStage> atStage, CancellationToken cancellationToken)
    {
        var addresses = await ResolveAsync(atStage, cancellationToken).ConfigureAwait(false);
        atStage(ConnectStage.Tcp);
        var failures = new List<(IPAddress Address, Exception Error)>();
        var race = new AddressRace(OpenAsync, timeProvider);
        if (await race.RunAsync(AddressOrder.Interleave(addresses), failures, cancellationToken).ConfigureAwait(false) is { } stream)
        {
            return stream;
        }

        if (failures.Find(failure => failure.Error is not SocketException).Error is { } other)
        {
            // Not the network's doing: a password that may not go there, or what the application hung on the socket. It says more than "refused" elsewhere.
            ExceptionDispatchInfo.Throw(other);
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
            IPAddress[] all = literal is null ? await seams.ResolveAsync(server.Host, cancellationToken).ConfigureAwait(false) : [literal];
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

    private async Task<Stream> OpenAsync(IPAddress address, CancellationToken cancellationToken)
    {
        PlaintextCredentials.ThrowIfExposed(server, address);

        // Packets leave in batches already; Nagle's algorithm would only delay the last one.
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (UserTimeout.For(server.Tcp, keepAlive) is { } timeout)
            {
                UserTimeout.Set(socket, timeout);
            }

            Configure(socket);
            if (server.LocalAddress is { } local)
            {
                socket.Bind(new IPEndPoint(local, port: 0));
            }

            return await seams.ConnectAsync(socket, new IPEndPoint(address, server.Port), cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private void Configure(Socket socket)
    {
        try
        {
            server.Tcp.Configure?.Invoke(socket);
        }
        catch (Exception e)
        {
            throw ConnectFailure.Permanent(server, ConnectStage.Tcp, $"TcpOptions.Configure failed ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>One reason if there is one, else one for each address.</summary>
    private string Explain(List<(IPAddress Address, Exception Error)> failures)
    {
        if (failures.Count == 1)
        {
            return Explain(failures[0].Error);
        }

        return failures.TrueForAll(failure => Explain(failure.Error) == Explain(failures[0].Error))
            ? $"{Explain(failures[0].Error)} at {string.Join(", ", failures.Select(failure => failure.Address))}"
            : string.Join("; ", failures.Select(failure => $"{failure.Address}: {Explain(failure.Error)}"));
    }

    private string Explain(Exception error) => (error as SocketException)?.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "connection refused (is a broker running there?)",
        SocketError.TimedOut => "no answer (is a firewall between?)",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable => "no route leads there (is the network up?)",
        SocketError.AddressNotAvailable when server.LocalAddress is { } local => $"the local address {local} is not one of this machine's",
        _ => error.Message.TrimEnd('.'),
    };
}
