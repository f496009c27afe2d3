using System.Globalization;
using System.Text;

namespace Nightjar.Cli.Output;

/// <summary>A stored session for people: a few lines about it, and a line for each message.</summary>
internal static class SessionTable
{
    private static readonly string[] Heads = ["NUMBER", "STATE", "QOS", "RETAIN", "PACKET", "BYTES", "STORED", "EXPIRES", "ID", "TOPIC"];

    /// <summary>UTF-8.</summary>
    /// <param name="session">What to show.</param>
    /// <param name="directory">As it was typed.</param>
    /// <param name="payload">Whether payloads are shown.</param>
    /// <param name="escapes">Whether control characters are made visible.</param>
    public static byte[] Print(StoredSession session, string directory, bool payload, bool escapes)
    {
        var text = new StringBuilder();
        Line("store", $"{directory}, {session.Store.StoreId}");
        Line("size", $"{Count(session.Store.Bytes, "byte")}, {Count(session.Store.Segments, "file")}, {Count(session.Records, "record")}{(session.Store.IsEncrypted ? ", encrypted" : "")}");
        Line("client id", session.ClientId ?? "(the application's to say)");
        Line("session at", session.Server ?? "(nowhere yet)");
        foreach (var state in Enum.GetValues<StoredMessageState>())
        {
            var messages = All(session).Where(message => message.State == state).ToList();
            if (messages.Count > 0 || state is StoredMessageState.Queued or StoredMessageState.Sent)
            {
                Line(Name(state), $"{Count(messages.Count, "message")}, {Count(messages.Sum(message => (long)message.Payload.Length), "byte")}");
            }
        }

        Line("unanswered", Count(session.Unanswered, "received message"));
        Line("remembered", $"{Count(session.RememberedIds, "identifier")} of delivered messages");
        Line("damage", session.IsDamaged ? $"yes; \"nightjar session verify {directory}\" says where, and what is lost" : "none");

        var rows = All(session).Select(Row).ToList();
        if (rows.Count > 0)
        {
            var widths = Enumerable.Range(0, Heads.Length).Select(column => rows.Max(row => Math.Max(row[column].Length, Heads[column].Length))).ToList();
            text.Append('\n');
            Append(Heads, widths);
            foreach (var (row, message) in rows.Zip(All(session)))
            {
                Append(row, widths);
                if (payload)
                {
                    text.Append("    ").Append(Escape(Encoding.UTF8.GetString(message.Payload.Span))).Append('\n');
                }
            }
        }

        return Encoding.UTF8.GetBytes(text.ToString());

        void Line(string name, string value) => text.Append(name.PadRight(12)).Append(Escape(value)).Append('\n');

        void Append(IReadOnlyList<string> row, List<int> widths)
        {
            for (var column = 0; column < row.Count - 1; column++)
            {
                text.Append(row[column].PadRight(widths[column] + 2));
            }

            text.Append(row[^1]).Append('\n');
        }

        string[] Row(StoredSessionMessage message) =>
        [
            Number(message.Number),
            Name(message.State),
            Number((int)message.QoS),
            message.Retain ? "yes" : "-",
            message.PacketId == 0 ? "-" : Number(message.PacketId),
            Number(message.Payload.Length),
            Time(message.StoredAt),
            Time(message.ExpiresAt),
            Escape(message.Id ?? "-"),
            Escape(message.Topic),
        ];

        string Escape(string value) => escapes ? TerminalText.Escape(value) : value;
    }

    /// <summary>Outgoing before received.</summary>
    public static IEnumerable<StoredSessionMessage> All(StoredSession session) => session.Outgoing.Concat(session.Unhandled);

    /// <summary>What a state is called here.</summary>
    public static string Name(StoredMessageState state) => state == StoredMessageState.ContentLost ? "content-lost" : state.ToString().ToLowerInvariant();

    /// <summary>A number of things.</summary>
    public static string Count(long count, string what) => string.Create(CultureInfo.InvariantCulture, $"{count} {what}{(count == 1 ? "" : "s")}");

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Time(DateTime? time) => time?.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "-";
}
