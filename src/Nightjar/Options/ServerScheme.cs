namespace Nightjar;

/// <summary>A URI scheme that a server may be given with.</summary>
/// <param name="Name">As it is written, in lower case.</param>
/// <param name="DefaultPort">The port of a URI that names none.</param>
/// <param name="UsesTls">Whether the connection is encrypted.</param>
internal sealed record ServerScheme(string Name, int DefaultPort, bool UsesTls)
{
    /// <summary>All of them. The ports are those that IANA assigned to mqtt and secure-mqtt.</summary>
    private static readonly ServerScheme[] All =
    [
        new("mqtt", DefaultPort: 1883, UsesTls: false),
        new("mqtts", DefaultPort: 8883, UsesTls: true),
    ];

    /// <summary>For people: what may be written.</summary>
    public static string Known { get; } =
        string.Join(" and ", All.Select(scheme => $"{scheme.Name} ({(scheme.UsesTls ? "TLS" : "TCP")}, port {scheme.DefaultPort})"));

    /// <summary>The scheme of that name, whatever its case; null if there is none.</summary>
    public static ServerScheme? Find(ReadOnlySpan<char> name)
    {
        foreach (var scheme in All)
        {
            if (name.Equals(scheme.Name, StringComparison.OrdinalIgnoreCase))
            {
                return scheme;
            }
        }

        return null;
    }
}
