using Microsoft.Extensions.Logging;

namespace Nightjar.Diagnostics;

/// <summary>Calls the application's inspector: one packet at a time, whichever loop of whichever connection it comes from, and whatever the inspector throws.</summary>
internal sealed class PacketInspection(IMqttPacketInspector inspector, ILogger logger)
{
    // User code runs under it. It guards nothing else, and nothing is taken inside it.
    private readonly Lock _oneAtATime = new();
    private bool _failed;

    public void Show(in InspectedPacket packet)
    {
        try
        {
            lock (_oneAtATime)
            {
                inspector.Inspect(packet);
            }
        }
        catch (Exception error)
        {
            if (!_failed)
            {
                // One that throws throws at each packet: once is enough for the log.
                _failed = true;
                Log.InspectorFailed(logger, packet.Type, error);
            }
        }
    }
}
