using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Unicode;

namespace Nightjar;

/// <summary>
/// A server's URI taken apart: <c>SCHEME://[USER[:PASSWORD]@]HOST[:PORT]</c> (RFC 3986, 3.2). It is parsed here and not by <see cref="Uri"/>, because its
/// errors must say what to do and must not echo a password, not even one that a typing error moved to where the host or the port belongs.
/// </summary>
internal sealed record ServerUri(ServerScheme Scheme, string Host, int Port, MqttCredentials? Credentials)
{
    // RFC 1035, 2.3.4: 255 octets on the wire are 253 characters.
    private const int MaximumHostLength = 253;
    private const int MaximumLabelLength = 63;

    private static readonly IdnMapping Idn = new();

    /// <summary>Scheme, host and port; never the credentials.</summary>
    public override string ToString() => Describe(Scheme, Host, Port);

    /// <summary>A server as people read it, an IPv6 address in brackets.</summary>
    public static string Describe(ServerScheme scheme, string host, int port) =>
        host.Contains(':', StringComparison.Ordinal) ? $"{scheme.Name}://[{host}]:{port}" : $"{scheme.Name}://{host}:{port}";

    /// <summary>Parses, or throws <see cref="UriFormatException"/> that says what is wrong and what to write instead.</summary>
    public static ServerUri Parse(string uri)
    {
        var schemeEnd = uri.IndexOf("://", StringComparison.Ordinal);
        if (schemeEnd < 0 || !IsSchemeName(uri.AsSpan(0, schemeEnd)))
        {
            throw Wrong("it starts with no scheme", $"write SCHEME://HOST or SCHEME://HOST:PORT; the schemes are {ServerScheme.Known}");
        }

        var scheme = ServerScheme.Find(uri.AsSpan(0, schemeEnd))
            ?? throw Wrong($"there is no scheme '{uri[..schemeEnd]}'", $"write another; the schemes are {ServerScheme.Known}");
        var rest = uri.AsSpan(schemeEnd + 3);
        if (rest.EndsWith('/'))
        {
            rest = rest[..^1];
        }

        var at = rest.LastIndexOf('@');
        if (rest.IndexOfAny('/', '?', '#') is >= 0 and var beyond)
        {
            throw beyond < at
                ? Wrong("its user name or password holds a '/', '?' or '#'", "write those as %2F, %3F and %23")
                : Wrong("it goes on after host and port", $"remove that; a {scheme.Name} URI has no path, query or fragment");
        }

        var (host, port) = ParseHostAndPort(scheme, rest[(at + 1)..]);
        return new ServerUri(scheme, host, port, at < 0 ? null : ParseCredentials(rest[..at]));
    }

    private static bool IsSchemeName(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '-' or '.'))
            {
                return false;
            }
        }

        return text is not [] && char.IsAsciiLetter(text[0]);
    }

    private static (string Host, int Port) ParseHostAndPort(ServerScheme scheme, ReadOnlySpan<char> text)
    {
        string host;
        ReadOnlySpan<char> afterHost;
        if (text.StartsWith('['))
        {
            var end = text.IndexOf(']');
            host = end < 0 ? throw Wrong("a '[' is not closed", "write an IPv6 address as [::1]") : ParseIPv6(text[1..end]);
            afterHost = text[(end + 1)..];
        }
        else
        {
            if (text.Count(':') > 1)
            {
                throw Wrong("there is more than one ':' after the credentials", $"write an IPv6 address in brackets: {scheme.Name}://[::1]:{scheme.DefaultPort}");
            }

            var colon = text.IndexOf(':');
            host = ParseHostName(colon < 0 ? text : text[..colon]);
            afterHost = colon < 0 ? [] : text[colon..];
        }

        if (afterHost is [])
        {
            return (host, scheme.DefaultPort);
        }

        // What stands where the port should be is not echoed: of "mqtt://user:password" it is the password.
        return afterHost[0] == ':' && ushort.TryParse(afterHost[1..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0
            ? (host, port)
            : throw Wrong(
                "what follows the host is no port",
                $"write a number from 1 to 65535 after ':', or nothing for {scheme.DefaultPort}; credentials stand before the host: {scheme.Name}://USER:PASSWORD@HOST");
    }

    private static string ParseIPv6(ReadOnlySpan<char> text)
    {
        // RFC 6874: the '%' before a zone is itself percent-encoded; many leave that out.
        var address = text.ToString().Replace("%25", "%", StringComparison.Ordinal);
        return IPAddress.TryParse(address, out var parsed) && parsed.AddressFamily == AddressFamily.InterNetworkV6
            ? address
            : throw Wrong("what stands in brackets is no IPv6 address", "write for instance [::1] or [fe80::1%25eth0]");
    }

    private static string ParseHostName(ReadOnlySpan<char> text)
    {
        var host = text.ToString();
        if (host.Length == 0)
        {
            throw Wrong("it names no host", "write SCHEME://HOST or SCHEME://HOST:PORT");
        }

        try
        {
            host = Ascii.IsValid(host) ? host : Idn.GetAscii(host);
        }
        catch (ArgumentException)
        {
            throw NoHostName();
        }

        // A final dot marks a name as complete; it is no label.
        foreach (var label in host.AsSpan(0, host.EndsWith('.') ? host.Length - 1 : host.Length).Split('.'))
        {
            if (!IsLabel(host.AsSpan()[label]))
            {
                throw NoHostName();
            }
        }

        return host.Length <= MaximumHostLength ? host : throw NoHostName();

        static UriFormatException NoHostName() =>
            Wrong("what stands where the host belongs is neither a host name nor an address", "write letters, digits, '-', '_' and '.'; an IPv6 address goes in brackets");
    }

    private static bool IsLabel(ReadOnlySpan<char> label)
    {
        foreach (var c in label)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
            {
                return false;
            }
        }

        return label.Length is > 0 and <= MaximumLabelLength;
    }

    private static MqttCredentials? ParseCredentials(ReadOnlySpan<char> text)
    {
        if (text.Contains('@'))
        {
            throw Wrong("its user name or password holds an '@'", "write it as %40");
        }

        var colon = text.IndexOf(':');
        var userName = PercentDecode(colon < 0 ? text : text[..colon]);
        if (!Utf8.IsValid(userName) || userName.AsSpan().Contains((byte)0))
        {
            throw Wrong("its user name, once percent-decoded, is no UTF-8 text without U+0000", "encode the user name as UTF-8 first, then as %XX");
        }

        var password = colon < 0 ? (ReadOnlyMemory<byte>?)null : PercentDecode(text[(colon + 1)..]);
        return userName.Length == 0 && password is null ? null : new MqttCredentials(userName.Length == 0 ? null : Encoding.UTF8.GetString(userName), password);
    }

    /// <summary>The bytes that a part of the URI stands for: <c>%XX</c> is a byte, anything else its UTF-8. <c>+</c> is itself.</summary>
    private static byte[] PercentDecode(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        var length = 0;
        while (text is not [])
        {
            if (text[0] == '%')
            {
                if (text.Length < 3 || !byte.TryParse(text[1..3], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out bytes[length]))
                {
                    throw Wrong("a '%' in its user name or password is not followed by two hexadecimal digits", "write a '%' itself as %25");
                }

                length++;
                text = text[3..];
            }
            else if (Rune.DecodeFromUtf16(text, out var rune, out var used) == System.Buffers.OperationStatus.Done && !Rune.IsControl(rune) && !Rune.IsWhiteSpace(rune))
            {
                length += rune.EncodeToUtf8(bytes.AsSpan(length));
                text = text[used..];
            }
            else
            {
                throw Wrong("its user name or password holds a blank, a control character or a lone surrogate", "write its UTF-8 bytes as %XX; a blank is %20");
            }
        }

        return bytes[..length];
    }

    private static UriFormatException Wrong(string what, string remedy) => new($"This is no URI of an MQTT server: {what}. Please {remedy}.");
}
