using System.Globalization;
using System.Net.NetworkInformation;
using System.Security.Cryptography;
using System.Text;

namespace Nightjar;

/// <summary>Client identifiers that mean something. A random one, kept for the client's life, is what leaving <see cref="MqttClientOptions.ClientId"/> null gives.</summary>
public static class ClientId
{
    /// <summary>In <see cref="MqttClientOptions.ClientId"/>: stands for what <see cref="FromMachine"/> gives, without its prefix.</summary>
    public const string MachineToken = "%MACHINE%";

    /// <summary>In <see cref="MqttClientOptions.ClientId"/>: stands for the last three bytes of this machine's hardware address, six hexadecimal digits in capitals.</summary>
    public const string Mac3Token = "%MAC3%";

    // Base 32: 13 characters hold 65 bits.
    private const string Alphabet = "0123456789abcdefghijklmnopqrstuv";
    private const int MachineLength = 13;

    private static readonly Lazy<string> Machine = new(ReadMachine);

    /// <summary>The server assigns one, which is then kept (5.0; before it the session is clean for good, and in 3.1 this is not allowed).</summary>
    public static string None => "";

    /// <summary>
    /// A prefix and 13 characters that are the same on this machine after each restart, and on no other. They tell nothing of the machine's own identifier, from which they are
    /// derived. Two clients of one machine need two prefixes: the server lets only one of each name in.
    /// </summary>
    /// <param name="prefix">With up to 10 characters the whole has no more than the 23 that every server takes.</param>
    public static string FromMachine(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        return prefix + Machine.Value;
    }

    /// <summary>With its tokens replaced.</summary>
    internal static string? Expand(string? clientId)
    {
        if (clientId is null || !clientId.Contains('%', StringComparison.Ordinal))
        {
            return clientId;
        }

        if (clientId.Contains(MachineToken, StringComparison.Ordinal))
        {
            clientId = clientId.Replace(MachineToken, Machine.Value, StringComparison.Ordinal);
        }

        return clientId.Contains(Mac3Token, StringComparison.Ordinal) ? clientId.Replace(Mac3Token, Mac3(), StringComparison.Ordinal) : clientId;
    }

    private static string ReadMachine()
    {
        // Hashed with a name of our own, as machine-id(5) asks for: the identifier itself is confidential.
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes("Nightjar client identifier\n" + MachineIdentity()));
        var text = new StringBuilder(MachineLength);
        for (var i = 0; i < MachineLength; i++)
        {
            text.Append(Alphabet[hash[i] % Alphabet.Length]);
        }

        return text.ToString();
    }

    private static string MachineIdentity()
    {
        foreach (var file in new[] { "/etc/machine-id", "/var/lib/dbus/machine-id", "/sys/class/dmi/id/product_uuid" })
        {
            try
            {
                if (File.ReadAllText(file).Trim() is { Length: > 0 } id)
                {
                    return id;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next source may do.
            }
        }

        return HardwareAddress() is { Length: > 0 } address ? Convert.ToHexString(address) : Environment.MachineName;
    }

    private static string Mac3()
    {
        var address = HardwareAddress();
        return address.Length >= 3
            ? Convert.ToHexString(address.AsSpan(address.Length - 3))
            : string.Create(CultureInfo.InvariantCulture, $"{Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(Environment.MachineName)).AsSpan(0, 3))}");
    }

    /// <summary>The lowest of this machine's, so that it is the same whatever the order in which interfaces come up; empty if there is none.</summary>
    private static byte[] HardwareAddress()
    {
        try
        {
            return NetworkInterface.GetAllNetworkInterfaces()
                .Where(network => network.NetworkInterfaceType is NetworkInterfaceType.Ethernet or NetworkInterfaceType.Wireless80211 or NetworkInterfaceType.GigabitEthernet)
                .Select(network => network.GetPhysicalAddress().GetAddressBytes())
                .Where(address => address.Length >= 6 && address.Any(value => value != 0))
                .OrderBy(Convert.ToHexString, StringComparer.Ordinal)
                .FirstOrDefault([]);
        }
        catch (Exception e) when (e is NetworkInformationException or PlatformNotSupportedException)
        {
            return [];
        }
    }
}
