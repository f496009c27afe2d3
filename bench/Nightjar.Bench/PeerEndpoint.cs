using Nightjar.Bench.Peer;

namespace Nightjar.Bench;

/// <summary>Where the peer listens.</summary>
internal readonly record struct PeerEndpoint(int MqttPort, int ControlPort, int DelayedPort);

/// <summary>What must be true of every run, or its figures mean nothing.</summary>
internal static class SinkReportCheck
{
    /// <summary>Throws <see cref="InvalidOperationException"/> unless all arrived, once and whole.</summary>
    public static void Check(this SinkReport report, long messages, int payloadSize)
    {
        if (report.Messages != messages || report.PayloadBytes != messages * payloadSize)
        {
            throw new InvalidOperationException($"{messages} messages were sent; {report.Messages} with {report.PayloadBytes} bytes arrived");
        }
    }
}
