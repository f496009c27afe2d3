using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Packets;
using Xunit;

namespace Nightjar.Protocol.Tests.Codec;

/// <summary>Whatever a peer sends: no exception, no hang, and no more memory than the bytes that arrived account for.</summary>
public sealed class MutationTests
{
    private const int DefaultCount = 200_000;
    private const int LongCount = 10_000_000;
    private const int BufferSize = 64;


    // A filter of one character is four bytes on the wire, and in memory a string of 24 bytes and 16 more in the list. A packet's own
    // object stays below the constant, and so does a violation that names a property: the runtime forgets the names of an
    // enumeration when it collects garbage, and makes them again.
    private const int BytesPerByte = 12;
    private const int BytesPerPacket = 4096;

    private static readonly (PacketSender Sender, MqttVersion Version)[] Decoders =
    [
        .. from sender in Vector.Both from version in Vector.All select (sender, version),
    ];

    [Fact]
    public void Mutated_packets_neither_throw_nor_hang_nor_swell()
    {
        var count = Environment.GetEnvironmentVariable("NIGHTJAR_LONG") == "1" ? LongCount : DefaultCount;
        var random = new Random(2003);
        var statuses = new int[Enum.GetValues<DecodeStatus>().Length];
        var seeds = Seeds(random);

        // What is allocated once (tables, comparers, the names of enumerations) is not the peer's doing.
        foreach (var bytes in seeds.Concat(HeaderOffences.Table.Concat(PacketOffences.Table).Select(offence => offence.Bytes)))
        {
            Array.ForEach(Decoders, decoder => Feed(bytes, decoder.Sender, decoder.Version, random, statuses, measured: false));
        }

        for (var i = 0; i < count; i++)
        {
            var bytes = Mutation.Of(seeds[random.Next(seeds.Length)], seeds[random.Next(seeds.Length)], random);
            var (sender, version) = Decoders[i % Decoders.Length];
            Feed(bytes, sender, version, random, statuses, measured: true);
        }

        // The mutations are neither all harmless nor all fatal.
        Assert.All(statuses, seen => Assert.True(seen > count / 1000));
    }

    // All vectors, and more packets of all kinds.
    private static byte[][] Seeds(Random random) =>
    [
        .. SessionVectors.Table.Select(vector => vector.Bytes),
        .. MessageVectors.Table.Select(vector => vector.Bytes),
        .. from index in Enumerable.Range(0, 600)
           let decoder = Decoders[index % Decoders.Length]
           select Wire.Write(AnyPacket.From(Choices.From(random), decoder.Sender, decoder.Version), decoder.Version),
    ];

    // A host with a small buffer half of the time, else with one that grows; the bytes come in chunks of any size.
    private static void Feed(byte[] bytes, PacketSender sender, MqttVersion version, Random random, int[] statuses, bool measured)
    {
        var small = random.Next(2) == 0;
        var decoder = new PacketDecoder(sender, version, random.Next(2) == 0 ? int.MaxValue : 1 + random.Next(400));
        var (start, end, streaming) = (0, 0, false);

        for (var round = 0; ; round++)
        {
            // Each round takes in or takes out one byte at least.
            Require(round <= (2 * bytes.Length) + 2, "it hangs", bytes);

            var full = small && end - start == BufferSize;
            var before = GC.GetAllocatedBytesForCurrentThread();
            var status = decoder.Decode(bytes.AsSpan(start, end - start), full, out var packet, out var consumed);
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

            statuses[(int)status]++;
            Require(!measured || allocated <= BytesPerPacket + (BytesPerByte * (long)(end - start)), "it swells", bytes);
            Require(consumed >= 0 && consumed <= end - start, "it consumes what is not there", bytes);
            Require(Obeys(status, packet, consumed, full, streaming), "it breaks its contract", bytes);
            start += consumed;
            streaming = status is DecodeStatus.PublishBegin or DecodeStatus.Payload || (streaming && status == DecodeStatus.NeedMore);

            if (status == DecodeStatus.Violation || (status == DecodeStatus.NeedMore && end == bytes.Length))
            {
                return;
            }

            if (status == DecodeStatus.NeedMore)
            {
                var room = small ? Math.Min(BufferSize - (end - start), bytes.Length - end) : bytes.Length - end;
                end += Math.Min(1 + random.Next(40), room);
            }
        }
    }

    private static void Require(bool kept, string fault, byte[] bytes)
    {
        if (!kept)
        {
            Assert.Fail($"{fault}: {Convert.ToHexString(bytes)}");
        }
    }

    private static bool Obeys(DecodeStatus status, in DecodedPacket packet, int consumed, bool full, bool streaming) => status switch
    {
        DecodeStatus.NeedMore => consumed == 0 && !full,
        DecodeStatus.Violation => consumed == 0,
        DecodeStatus.Packet => !streaming && consumed == packet.Size && Wire.ToObject(packet) is not null,
        DecodeStatus.PublishBegin => !streaming && full && consumed > 0 && packet.PayloadLength > 0 && packet.Publish.Payload.IsEmpty,
        _ => streaming && consumed > 0 && packet.Type == PacketType.Publish && packet.Publish.Payload.Length == consumed,
    };
}
