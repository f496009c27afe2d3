using Nightjar.Protocol.Codec;
using Xunit;

namespace Nightjar.Protocol.Tests.Codec;

/// <summary>A packet and its bytes: each must become the other.</summary>
/// <param name="Name">What is special about it.</param>
/// <param name="Senders">Who may send it.</param>
/// <param name="Versions">In which versions it looks like this.</param>
/// <param name="Notation">The bytes, see <see cref="Wire"/>.</param>
/// <param name="Packet">The packet; a PUBLISH as <see cref="Message"/>.</param>
internal sealed record Vector(string Name, PacketSender[] Senders, MqttVersion[] Versions, string Notation, object Packet)
{
    public static readonly MqttVersion[] V31 = [MqttVersion.Mqtt31];
    public static readonly MqttVersion[] V311 = [MqttVersion.Mqtt311];
    public static readonly MqttVersion[] V3 = [MqttVersion.Mqtt31, MqttVersion.Mqtt311];
    public static readonly MqttVersion[] V5 = [MqttVersion.Mqtt5];
    public static readonly MqttVersion[] All = [.. V3, .. V5];

    public static readonly PacketSender[] Client = [PacketSender.Client];
    public static readonly PacketSender[] Server = [PacketSender.Server];
    public static readonly PacketSender[] Both = [.. Client, .. Server];

    /// <summary>The bytes are legal and not what we would write.</summary>
    public bool ReadOnly { get; init; }

    public byte[] Bytes => Wire.Bytes(Notation);

    /// <summary>One row per version and sender, named for people.</summary>
    public static IEnumerable<TheoryDataRow<int, PacketSender, MqttVersion>> Rows(IReadOnlyList<Vector> vectors) =>
        from index in Enumerable.Range(0, vectors.Count)
        let vector = vectors[index]
        from sender in vector.Senders
        from version in vector.Versions
        select new TheoryDataRow<int, PacketSender, MqttVersion>(index, sender, version)
        {
            TestDisplayName = $"{vector.Name} ({version}, from the {sender})",
        };
}
