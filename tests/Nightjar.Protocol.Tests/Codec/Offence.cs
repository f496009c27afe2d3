using Nightjar.Protocol.Codec;
using Xunit;

namespace Nightjar.Protocol.Tests.Codec;

/// <summary>Bytes that break a rule.</summary>
/// <param name="Name">The clause in brackets, and what is wrong.</param>
/// <param name="Sender">Who sends it.</param>
/// <param name="Version">The version in use.</param>
/// <param name="ReasonCode">How the violation must be answered.</param>
/// <param name="Notation">The bytes, see <see cref="Wire"/>.</param>
internal sealed record Offence(string Name, PacketSender Sender, MqttVersion Version, ReasonCode ReasonCode, string Notation)
{
    public const PacketSender Client = PacketSender.Client;
    public const PacketSender Server = PacketSender.Server;
    public const MqttVersion V31 = MqttVersion.Mqtt31;
    public const MqttVersion V311 = MqttVersion.Mqtt311;
    public const MqttVersion V5 = MqttVersion.Mqtt5;
    public const ReasonCode Malformed = ReasonCode.MalformedPacket;
    public const ReasonCode Error = ReasonCode.ProtocolError;

    public string Clause => Name[1..Name.IndexOf(']', StringComparison.Ordinal)];

    public byte[] Bytes => Wire.Bytes(Notation);

    public static IEnumerable<TheoryDataRow<int>> Rows(IReadOnlyList<Offence> offences) =>
        Enumerable.Range(0, offences.Count).Select(index => new TheoryDataRow<int>(index) { TestDisplayName = offences[index].Name });
}
