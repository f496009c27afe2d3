namespace Nightjar;

/// <summary>
/// Sees every control packet that a client sends and receives, for tracing and diagnosis; set it in <see cref="MqttClientOptions.PacketInspector"/>. It changes nothing:
/// packets are shown, not handed over.
/// </summary>
public interface IMqttPacketInspector
{
    /// <summary>
    /// Called for each packet, one at a time, in order: a received packet before it has any effect, a sent one right before it is handed to the transport, so that an answer
    /// never comes before its question. The client's reading and writing wait for it: be quick, and wait for nothing. What it throws is logged once, and ignored.
    /// </summary>
    /// <param name="packet">Valid during the call.</param>
    void Inspect(in InspectedPacket packet);
}
