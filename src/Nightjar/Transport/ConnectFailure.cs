using System.Net.Security;

namespace Nightjar.Transport;

/// <summary>The exceptions of a failed attempt: all begin with what was tried.</summary>
internal static class ConnectFailure
{
    /// <summary>It may work next time without anybody changing anything.</summary>
    public static MqttConnectException Transient(MqttServer server, ConnectStage stage, string why, Exception? inner = null) =>
        new($"Cannot connect to {server}: {why}.", stage, inner) { IsTransient = true };

    /// <summary>Somebody has to change something first.</summary>
    public static MqttConnectException Permanent(
        MqttServer server, ConnectStage stage, string why, Exception? inner = null, SslPolicyErrors certificateErrors = SslPolicyErrors.None) =>
        new($"Cannot connect to {server}: {why}.", stage, inner) { IsTransient = false, CertificateErrors = certificateErrors };
}
