namespace Nightjar.Protocol.Tests.Codec;

/// <summary>What a broken or hostile peer may make of packets.</summary>
internal static class Mutation
{
    // Where the interesting edges of lengths and characters are.
    private static readonly byte[] Edges = [0x00, 0x01, 0x02, 0x7F, 0x80, 0x81, 0xC0, 0xED, 0xF4, 0xFF, (byte)'#', (byte)'+', (byte)'/'];

    /// <summary>Changes the bytes in one to four places; <paramref name="other"/> is what is spliced in.</summary>
    public static byte[] Of(byte[] bytes, byte[] other, Random random)
    {
        List<byte> result = [.. bytes];
        for (var count = random.Next(1, 5); count > 0; count--)
        {
            Change(result, other, random);
        }

        return [.. result];
    }

    private static void Change(List<byte> bytes, byte[] other, Random random)
    {
        var place = random.Next(bytes.Count + 1);
        switch (random.Next(9))
        {
            case 0 when place < bytes.Count:
                bytes[place] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when place < bytes.Count:
                bytes[place] = Edges[random.Next(Edges.Length)];
                break;
            case 2:
                bytes.Insert(place, Edges[random.Next(Edges.Length)]);
                break;
            case 3:
                bytes.RemoveRange(place, Math.Min(random.Next(4), bytes.Count - place));
                break;
            case 4:
                bytes.RemoveRange(place, bytes.Count - place);
                break;
            case 5:
                var start = random.Next(other.Length);
                bytes.InsertRange(place, other[start..random.Next(start, other.Length)]);
                break;
            case 6 when bytes.Count > 1:
                ChangeLength(bytes, random);
                break;
            case 7 when place + 1 < bytes.Count:
                // A two-byte length of a field, made huge or tiny.
                (bytes[place], bytes[place + 1]) = random.Next(2) == 0 ? ((byte)0xFF, (byte)0xFF) : ((byte)0, (byte)random.Next(4));
                break;
            default:
                bytes.AddRange(other);
                break;
        }
    }

    // The remaining length: a little off, one byte longer, or as large as can be.
    private static void ChangeLength(List<byte> bytes, Random random)
    {
        switch (random.Next(4))
        {
            case 0:
                bytes[1] += (byte)random.Next(1, 4);
                break;
            case 1:
                bytes[1] -= (byte)random.Next(1, 4);
                break;
            case 2:
                bytes[1] |= 0x80;
                bytes.Insert(2, (byte)random.Next(3));
                break;
            default:
                bytes.RemoveAt(1);
                bytes.InsertRange(1, [0xFF, 0xFF, 0xFF, (byte)random.Next(0x7D, 0x82)]);
                break;
        }
    }
}
