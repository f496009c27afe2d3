using System.Net;

namespace Nightjar.Transport;

/// <summary>The rule that a password does not travel where others can read it unless the user said that it may.</summary>
internal static class PlaintextCredentials
{
    /// <summary>Throws before anything is sent if a password would go to <paramref name="address"/> in the clear.</summary>
    public static void ThrowIfExposed(MqttServer server, IPAddress address)
    {
        if (server is { UsesTls: false, AllowPlaintextCredentials: false, Credentials.Password.Length: > 0 } && !IsLoopback(address))
        {
            throw ConnectFailure.Permanent(
                server,
                ConnectStage.Tcp,
                $"the password would travel to {address} unencrypted; use mqtts://, or set MqttServer.AllowPlaintextCredentials to true if you trust that network");
        }
    }

    private static bool IsLoopback(IPAddress address) => IPAddress.IsLoopback(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
}
