using System.Text;

namespace Nightjar.Cli.CommandLine;

/// <summary>Lays out help pages: usage, flags by group, and what a verb has to add.</summary>
internal static class HelpPage
{
    // Wide enough for "-V, --protocol-version VERSION", so that all explanations start in one column.
    private const int FlagColumn = 34;

    /// <summary>A page.</summary>
    /// <param name="usage">The first lines.</param>
    /// <param name="groups">The flags.</param>
    /// <param name="more">What follows them, each a title and lines.</param>
    public static string Render(string usage, IEnumerable<FlagGroup> groups, IEnumerable<(string Title, string Text)> more)
    {
        var page = new StringBuilder().AppendLine(usage);
        foreach (var (title, flags) in groups)
        {
            page.AppendLine().Append(title).AppendLine(":");
            if (flags.All(flag => flag.Help.Length == 0))
            {
                page.Append("  ").AppendJoin(' ', flags.SelectMany(flag => flag.Names)).AppendLine();
                continue;
            }

            foreach (var flag in flags.Where(flag => flag.Help.Length > 0))
            {
                page.AppendLine(Line(flag));
            }
        }

        foreach (var (title, text) in more)
        {
            page.AppendLine().Append(title).AppendLine(":").AppendLine(text);
        }

        return page.ToString();
    }

    private static string Line(Flag flag)
    {
        var spelled = string.Join(", ", flag.Names);
        var left = $"  {(flag.Names[0].StartsWith("--", StringComparison.Ordinal) ? "    " : "")}{spelled}{(flag.Value is null ? "" : " ")}{flag.Value}";
        return left.Length < FlagColumn - 1
            ? left.PadRight(FlagColumn) + flag.Help
            : $"{left}{Environment.NewLine}{new string(' ', FlagColumn)}{flag.Help}";
    }
}
