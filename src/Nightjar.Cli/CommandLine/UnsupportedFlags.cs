namespace Nightjar.Cli.CommandLine;

/// <summary>What mosquitto_pub and mosquitto_sub can be told and this tool cannot yet: said by name, rather than ignored or called unknown.</summary>
internal static class UnsupportedFlags
{
    private static readonly string[] Names =
    [
        "--unix", "--proxy", "--psk", "--psk-identity", "--capath", "--ciphers", "--keyform", "--tls-engine", "--tls-engine-kpass-sha1", "-S",
    ];

    public static FlagGroup Group { get; } = new("Not supported yet",
        [.. Names.Select(name => new Flag(name, string.Empty, () => throw new UsageException($"{name} is not supported yet.")))]);
}
