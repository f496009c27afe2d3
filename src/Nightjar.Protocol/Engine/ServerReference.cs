using System.Globalization;

namespace Nightjar.Protocol.Engine;

/// <summary>
/// A Server Reference (MQTT 5, 4.11): the server names others to use, <c>host</c>, <c>host:port</c> or <c>[address]:port</c>, separated by blanks; a scheme may stand
/// before. It is the peer's word, so it leads only to hosts that the application configured or allowed, and never from an encrypted link to an open one.
/// </summary>
internal static class ServerReference
{
    private const int LongestShown = 100;

    /// <summary>The first server named that may be followed; null, and why not.</summary>
    /// <param name="text">The peer's.</param>
    /// <param name="from">The server that said it.</param>
    /// <param name="known">The servers that the application configured.</param>
    /// <param name="allowed">Hosts, <c>host:port</c> and <c>*.domain</c> that it allowed besides.</param>
    /// <param name="refusal">For people: why none is followed.</param>
    public static ServerSettings? Resolve(string? text, ServerSettings from, IReadOnlyList<ServerSettings> known, IReadOnlyList<string> allowed, out string refusal)
    {
        refusal = "It names no other server.";
        foreach (var part in (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!TryParse(part, out var place))
            {
                refusal = $"It names '{Shown(part)}', which is no host.";
            }
            else if (Match(place, from, known, allowed, out refusal) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    /// <summary>What a peer said, for messages: short and without control characters.</summary>
    public static string Shown(string text) =>
        string.Concat(text.Take(LongestShown).Select(c => char.IsControl(c) ? '?' : c)) + (text.Length > LongestShown ? "..." : "");

    /// <summary>Whether an application may allow this: <c>host</c>, <c>host:port</c>, <c>*.domain</c>.</summary>
    public static bool IsPattern(string? text) => text is not null && TryParse(text, out var place) && place.Host.LastIndexOf('*') <= 0;

    private static ServerSettings? Match(Place place, ServerSettings from, IReadOnlyList<ServerSettings> known, IReadOnlyList<string> allowed, out string refusal)
    {
        refusal = "";
        var encrypted = place.Encrypted ?? from.UsesTls;
        if (from.UsesTls && !encrypted)
        {
            refusal = $"It names '{Shown(place.Text)}', which is not followed: this link is encrypted and that one would not be.";
            return null;
        }

        var here = known.Where(server => SameHost(server.Host, place.Host) && (!from.UsesTls || server.UsesTls) && (place.Encrypted ?? server.UsesTls) == server.UsesTls).ToList();
        if (here.Find(server => place.Port is null || server.Port == place.Port) is { } server)
        {
            return IsSame(server, from) ? Itself(place, out refusal) : server;
        }

        if (here.Count > 0)
        {
            return At(here[0], place, here[0].UsesTls, referred: false);
        }

        if (from.Host.Length > 0 && allowed.Any(pattern => Allows(pattern, place)))
        {
            var target = At(from, place, encrypted, referred: true);
            return IsSame(target, from) ? Itself(place, out refusal) : target;
        }

        refusal = known.Any(s => SameHost(s.Host, place.Host))
            ? $"It names '{Shown(place.Text)}', which is not followed: this link is encrypted and that one would not be."
            : $"It names '{Shown(place.Text)}', which is not followed; add it to Servers, or to ReconnectOptions.AllowedRedirects.";
        return null;
    }

    private static ServerSettings? Itself(Place place, out string refusal)
    {
        refusal = $"It names '{Shown(place.Text)}', which it is itself.";
        return null;
    }

    private static ServerSettings At(ServerSettings like, Place place, bool encrypted, bool referred)
    {
        // A link that becomes encrypted uses another port; which one, nobody said.
        var port = place.Port ?? (encrypted == like.UsesTls ? like.Port : 8883);
        var host = place.Host.Contains(':', StringComparison.Ordinal) ? $"[{place.Host}]" : place.Host;
        return like with
        {
            Name = $"{(encrypted ? "mqtts" : "mqtt")}://{host}:{port.ToString(CultureInfo.InvariantCulture)}",
            Host = place.Host,
            Port = port,
            UsesTls = encrypted,
            IsReferred = referred,
        };
    }

    public static bool IsSame(ServerSettings one, ServerSettings other) => SameHost(one.Host, other.Host) && one.Port == other.Port && one.UsesTls == other.UsesTls;

    private static bool SameHost(string one, string other) => one.Length > 0 && string.Equals(one.TrimEnd('.'), other.TrimEnd('.'), StringComparison.OrdinalIgnoreCase);

    private static bool Allows(string pattern, Place place)
    {
        if (!TryParse(pattern, out var allowed) || (allowed.Port is { } port && port != place.Port))
        {
            return false;
        }

        return allowed.Host.StartsWith("*.", StringComparison.Ordinal)
            ? place.Host.TrimEnd('.').EndsWith(allowed.Host[1..], StringComparison.OrdinalIgnoreCase) && place.Host.Length > allowed.Host.Length - 1
            : SameHost(allowed.Host, place.Host);
    }

    private static bool TryParse(string text, out Place place)
    {
        place = default;
        var rest = text.AsSpan();
        bool? encrypted = null;
        if (rest.IndexOf("://") is >= 0 and var end)
        {
            switch (rest[..end])
            {
                case "mqtts" or "ssl" or "tls":
                    encrypted = true;
                    break;
                case "mqtt" or "tcp":
                    encrypted = false;
                    break;
                default:
                    return false;
            }

            rest = rest[(end + 3)..].TrimEnd('/');
        }

        ReadOnlySpan<char> host;
        if (rest.StartsWith('['))
        {
            var close = rest.IndexOf(']');
            if (close < 0)
            {
                return false;
            }

            host = rest[1..close];
            rest = rest[(close + 1)..];
        }
        else
        {
            var colon = rest.IndexOf(':');
            host = colon < 0 ? rest : rest[..colon];
            rest = colon < 0 ? [] : rest[colon..];
        }

        int? port = null;
        if (!rest.IsEmpty)
        {
            if (rest[0] != ':' || !ushort.TryParse(rest[1..], NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0)
            {
                return false;
            }

            port = number;
        }

        place = new Place(text, host.ToString(), port, encrypted);
        return host.Length is > 0 and <= 253 && host.IndexOfAnyExcept(HostCharacters) < 0;
    }

    private static System.Buffers.SearchValues<char> HostCharacters { get; } =
        System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:%*");

    private readonly record struct Place(string Text, string Host, int? Port, bool? Encrypted);
}
