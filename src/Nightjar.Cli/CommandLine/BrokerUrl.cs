namespace Nightjar.Cli.CommandLine;

/// <summary>
/// What <c>-L mqtt(s)://[user[:password]@]host[:port]/topic</c> says. User name and password may be percent-encoded; the topic is taken as it
/// is, with its <c>#</c> and <c>?</c>, so this is no <see cref="Uri"/>.
/// </summary>
internal sealed record BrokerUrl(bool UsesTls, string? UserName, string? Password, string Host, int? Port, string Topic)
{
    /// <summary>Throws <see cref="UsageException"/>; its message never holds the password.</summary>
    public static BrokerUrl Parse(string text)
    {
        var scheme = text.IndexOf("://", StringComparison.Ordinal);
        var usesTls = scheme < 0 ? throw new UsageException("-L takes a URL: mqtt(s)://[user[:password]@]host[:port]/topic") : text[..scheme].ToLowerInvariant() switch
        {
            "mqtt" => false,
            "mqtts" => true,
            var other => throw new UsageException($"-L: unsupported URL scheme '{other}'; it takes mqtt and mqtts."),
        };

        var rest = text[(scheme + 3)..];
        // The topic may hold an @, the password must not hold a slash: it is then written %2F.
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || slash == rest.Length - 1)
        {
            throw new UsageException("Invalid URL for -L argument specified - topic missing.");
        }

        var topic = rest[(slash + 1)..];
        var authority = rest[..slash];
        string? userName = null;
        string? password = null;
        if (authority.LastIndexOf('@') is >= 0 and var at)
        {
            var user = authority[..at].Split(':', 2);
            userName = Uri.UnescapeDataString(user[0]);
            password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null;
            authority = authority[(at + 1)..];
        }

        // The last colon, unless it is inside the brackets of an IPv6 address.
        int? port = null;
        if (authority.LastIndexOf(':') is >= 0 and var colon && authority.IndexOf(']', colon) < 0)
        {
            port = FlagValue.Integer("-L: the port", authority[(colon + 1)..], 1, 65_535);
            authority = authority[..colon];
        }

        return authority.Length > 0
            ? new BrokerUrl(usesTls, userName, password, authority.Trim('[', ']'), port, topic)
            : throw new UsageException("-L: the URL names no host.");
    }
}
