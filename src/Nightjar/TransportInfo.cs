using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Nightjar;

/// <summary>The network connection under the MQTT connection, for diagnosis.</summary>
public sealed record TransportInfo
{
    /// <summary>The address that answered; null over a stream of the caller's.</summary>
    public EndPoint? RemoteEndPoint { get; init; }

    /// <summary>This machine's end; null over a stream of the caller's.</summary>
    public EndPoint? LocalEndPoint { get; init; }

    /// <summary>The version of TLS that was agreed; <see cref="SslProtocols.None"/> without TLS.</summary>
    public SslProtocols TlsVersion { get; init; }

    /// <summary>The cipher suite that was agreed; null without TLS.</summary>
    public TlsCipherSuite? CipherSuite { get; init; }

    /// <summary>The application protocol (ALPN) that the server chose; null if it chose none.</summary>
    public string? ApplicationProtocol { get; init; }

    /// <summary>The server's certificate; null without TLS. It belongs to the connection: copy it if you keep it.</summary>
    public X509Certificate2? ServerCertificate { get; init; }

    /// <summary>One line for people.</summary>
    public override string ToString() =>
        $"{(RemoteEndPoint is null ? "a stream" : $"{RemoteEndPoint}")}{(TlsVersion == SslProtocols.None ? "" : $" over {TlsVersion} with {CipherSuite}")}";
}
