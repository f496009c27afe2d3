using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Nightjar.Transport;

/// <summary>Says what a stream is made of, as far as it shows.</summary>
internal static class TransportDescription
{
    public static TransportInfo Of(Stream stream) => stream switch
    {
        // The trimmer drops this with the rest of TLS when the switch is off.
        SslStream tls when TlsFeature.IsSupported => Of((tls as TlsStream)?.Socket) with
        {
            TlsVersion = tls.SslProtocol,
            CipherSuite = tls.NegotiatedCipherSuite,
            ApplicationProtocol = tls.NegotiatedApplicationProtocol is { Protocol.IsEmpty: false } protocol ? protocol.ToString() : null,
            ServerCertificate = tls.RemoteCertificate as X509Certificate2,
        },
        _ => Of((stream as NetworkStream)?.Socket),
    };

    private static TransportInfo Of(Socket? socket)
    {
        try
        {
            return new TransportInfo { RemoteEndPoint = socket?.RemoteEndPoint, LocalEndPoint = socket?.LocalEndPoint };
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // It is gone already; the receive loop will say so.
            return new TransportInfo();
        }
    }
}
