using System.Net;

namespace Nightjar.Transport;

/// <summary>In which order the addresses of a name are tried.</summary>
internal static class AddressOrder
{
    /// <summary>
    /// The families take turns, the one that the resolver put first first (RFC 8305, 4): if one of them leads nowhere, every second attempt is of the other. Within a
    /// family the resolver's order stays (RFC 6724).
    /// </summary>
    public static IPAddress[] Interleave(IReadOnlyList<IPAddress> resolved)
    {
        if (resolved.Count == 0)
        {
            return [];
        }

        var preferred = resolved[0].AddressFamily;
        var first = new Queue<IPAddress>(resolved.Where(address => address.AddressFamily == preferred));
        var other = new Queue<IPAddress>(resolved.Where(address => address.AddressFamily != preferred));
        var ordered = new List<IPAddress>(resolved.Count);
        while (first.Count > 0 || other.Count > 0)
        {
            if (first.TryDequeue(out var next))
            {
                ordered.Add(next);
            }

            if (other.TryDequeue(out next))
            {
                ordered.Add(next);
            }
        }

        return [.. ordered];
    }
}
