using System.Globalization;
using System.Security.Cryptography;
using Nightjar.Protocol.Topics;

namespace Nightjar.Requests;

/// <summary>Where requests and answers go. The correlation is 64 random bits: in 5.0 the Correlation Data, else 16 hexadecimal digits in the topic.</summary>
internal static class RequestTopics
{
    /// <summary>5.0: a user property of an answer that tells of a failure; its value is for people.</summary>
    public const string ErrorProperty = "nightjar-error";

    /// <summary>A level that no application's topic has by chance.</summary>
    private const string Marker = "nj-request";
    private const string ErrorLevel = "error";
    private const int Digits = 16;

    /// <summary>A number that nobody can guess, so that nobody else can answer.</summary>
    public static ulong NewCorrelation()
    {
        Span<byte> random = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(random);
        return BitConverter.ToUInt64(random);
    }

    /// <summary>The client's own level: its identifier, if that is one level; else something random.</summary>
    public static string LevelOf(string clientId, string otherwise) =>
        clientId.Length > 0 && !clientId.AsSpan().ContainsAny('/', '+', '#') && TopicName.Validate(clientId) is null ? clientId : otherwise;

    /// <summary>The topic of a request that says in itself where the answer goes.</summary>
    public static string Mark(string topic, string level, ulong correlation) => string.Create(CultureInfo.InvariantCulture, $"{topic}/{Marker}/{level}/{correlation:x16}");

    /// <summary>The filters under which both kinds of request come.</summary>
    public static IEnumerable<string> ToRespond(string filter) => filter == "#" || filter.EndsWith("/#", StringComparison.Ordinal) ? [filter] : [filter, $"{filter}/{Marker}/+/+"];

    /// <summary>Takes the topic of a request apart.</summary>
    /// <param name="topic">As it came.</param>
    /// <param name="asked">What the application asked.</param>
    /// <param name="reply">Client and number: what the response topic ends with.</param>
    public static bool TryUnmark(string topic, out string asked, out string reply)
    {
        asked = reply = "";
        var number = topic.LastIndexOf('/');
        var level = number < 0 ? -1 : topic.LastIndexOf('/', number - 1);
        var marker = level <= 0 ? -1 : topic.LastIndexOf('/', level - 1);
        if (marker < 0 || !topic.AsSpan(marker + 1, level - marker - 1).SequenceEqual(Marker) || number - level < 2 || !TryParse(topic.AsSpan(number + 1), out _))
        {
            return false;
        }

        asked = topic[..marker];
        reply = topic[(level + 1)..];
        return true;
    }

    /// <summary>Where an answer that fails goes.</summary>
    public static string Failed(string responseTopic) => $"{responseTopic}/{ErrorLevel}";

    /// <summary>The number at the end of a response topic.</summary>
    public static bool TryReadReply(ReadOnlySpan<char> rest, out ulong correlation, out bool failed)
    {
        failed = rest.Length == Digits + 1 + ErrorLevel.Length && rest[Digits] == '/' && rest[(Digits + 1)..].SequenceEqual(ErrorLevel);
        return TryParse(failed ? rest[..Digits] : rest, out correlation);
    }

    private static bool TryParse(ReadOnlySpan<char> digits, out ulong correlation)
    {
        correlation = 0;
        return digits.Length == Digits && ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out correlation);
    }
}
