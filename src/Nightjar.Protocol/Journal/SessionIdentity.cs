using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Nightjar.Protocol.Journal;

/// <summary>Whose session it is, and where. No credentials.</summary>
internal sealed record SessionIdentity
{
    /// <summary>The client identifier that was generated; null if the application gave one.</summary>
    public string? GeneratedClientId { get; init; }

    /// <summary>The session: who keeps it, and the client identifier; null if there was none yet.</summary>
    public string? Session { get; init; }

    /// <summary>The session that was emptied, to begin anew on the next connection.</summary>
    public string? Emptied { get; init; }

    /// <summary>Client identifiers that servers assigned, by who keeps the session.</summary>
    public IReadOnlyList<(string Keeper, string ClientId)> Assigned { get; init; } = [];

    public bool Equals(SessionIdentity? other) => other is not null && GeneratedClientId == other.GeneratedClientId && Session == other.Session && Emptied == other.Emptied
        && Assigned.SequenceEqual(other.Assigned);

    public override int GetHashCode() => HashCode.Combine(GeneratedClientId, Session, Emptied, Assigned.Count);

    /// <summary>Texts in UTF-8, each behind its length and one more; 0 for one that is not there.</summary>
    public byte[] ToBytes()
    {
        var bytes = new ArrayBufferWriter<byte>();
        Write(bytes, GeneratedClientId);
        Write(bytes, Session);
        Write(bytes, Emptied);
        foreach (var (keeper, clientId) in Assigned)
        {
            Write(bytes, keeper);
            Write(bytes, clientId);
        }

        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>False if these are no texts.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out SessionIdentity identity)
    {
        identity = new SessionIdentity();
        if (!TryRead(ref bytes, out var generated) || !TryRead(ref bytes, out var session) || !TryRead(ref bytes, out var emptied))
        {
            return false;
        }

        var assigned = new List<(string, string)>();
        while (!bytes.IsEmpty)
        {
            if (!TryRead(ref bytes, out var keeper) || !TryRead(ref bytes, out var clientId) || keeper is null || clientId is null)
            {
                return false;
            }

            assigned.Add((keeper, clientId));
        }

        identity = new SessionIdentity { GeneratedClientId = generated, Session = session, Emptied = emptied, Assigned = assigned };
        return true;
    }

    private static void Write(ArrayBufferWriter<byte> bytes, string? text)
    {
        var length = text is null ? 0 : Encoding.UTF8.GetByteCount(text);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.GetSpan(sizeof(int)), text is null ? 0 : length + 1);
        bytes.Advance(sizeof(int));
        if (length > 0)
        {
            bytes.Advance(Encoding.UTF8.GetBytes(text, bytes.GetSpan(length)));
        }
    }

    private static bool TryRead(ref ReadOnlySpan<byte> bytes, out string? text)
    {
        text = null;
        if (bytes.Length < sizeof(int))
        {
            return false;
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes) - 1;
        bytes = bytes[sizeof(int)..];
        if (length < -1 || length > bytes.Length)
        {
            return false;
        }

        if (length >= 0)
        {
            text = Encoding.UTF8.GetString(bytes[..length]);
            bytes = bytes[length..];
        }

        return true;
    }
}
