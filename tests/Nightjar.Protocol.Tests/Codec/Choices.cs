namespace Nightjar.Protocol.Tests.Codec;

/// <summary>
/// Where a generator takes its decisions from: given bytes, and 0 when they are used up. So FsCheck, which knows how to make byte
/// arrays smaller, makes packets smaller, and a random generator can make many of them fast.
/// </summary>
internal sealed class Choices(byte[] bytes)
{
    private int _next;

    public static Choices From(Random random)
    {
        var bytes = new byte[200];
        random.NextBytes(bytes);
        return new(bytes);
    }

    public byte Byte() => _next < bytes.Length ? bytes[_next++] : (byte)0;

    public ushort TwoBytes() => (ushort)((Byte() << 8) | Byte());

    public uint FourBytes() => ((uint)TwoBytes() << 16) | TwoBytes();

    public bool Flag() => (Byte() & 1) != 0;

    /// <summary>From 0 to one less than <paramref name="count"/>.</summary>
    public int Below(int count) => Byte() % count;

    public T Of<T>(params ReadOnlySpan<T> values) => values[Below(values.Length)];

    /// <summary>Half of the time null.</summary>
    public T? Perhaps<T>(Func<T> value)
        where T : struct => Flag() ? value() : null;

    public string? PerhapsText() => Flag() ? Text() : null;

    /// <summary>A short text of any characters that MQTT allows.</summary>
    public string Text()
    {
        string[] pieces = ["", "a", "key", "größe", "🦉", "\uFEFF", "with space", "\u0001", "\u007F", "/", "$", new string('x', 130)];
        return string.Concat(Enumerable.Range(0, Below(4)).Select(_ => pieces[Below(pieces.Length)]));
    }

    public string Topic() => string.Join('/', Enumerable.Range(0, 1 + Below(3)).Select(_ => Level()));

    public string Filter() => (Flag() ? "$share/group/" : "") + (Of("", "+/", "a/+/") + Of("#", "+", Topic()));

    public byte[] Data()
    {
        var data = new byte[Below(20)];
        for (var i = 0; i < data.Length; i++)
        {
            data[i] = Byte();
        }

        return data;
    }

    public UserProperty[] UserProperties() => [.. Enumerable.Range(0, Below(3)).Select(_ => new UserProperty(Text(), Text()))];

    private string Level() => Of("a", "sensor", "ü", "$SYS", "0123456789abcdef");
}
