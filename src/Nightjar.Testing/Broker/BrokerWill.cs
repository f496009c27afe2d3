using Nightjar.Protocol.Packets;

namespace Nightjar.Testing.Broker;

/// <summary>A will, waiting for its client to vanish.</summary>
internal sealed record BrokerWill(WillPacket Packet, TimeSpan Delay);
