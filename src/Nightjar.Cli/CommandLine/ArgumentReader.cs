namespace Nightjar.Cli.CommandLine;

/// <summary>
/// Walks the arguments as mosquitto_pub and mosquitto_sub do: a flag is a whole argument, and what follows it is its value whatever it
/// looks like (<c>-x -1</c>, <c>-m -t</c>). Long flags also take <c>--name=value</c>.
/// </summary>
/// <remarks>
/// Not System.CommandLine: there a value that starts with a dash needs quoting by <c>=</c>, <c>-D</c> with its three or four values has no form,
/// and <c>-h</c> is help; getting all of these back costs more code than this reader, and more time at start-up.
/// </remarks>
internal sealed class ArgumentReader(IReadOnlyList<string> arguments)
{
    private int _next;
    private string? _attached;

    /// <summary>The flag being read, as it was typed.</summary>
    public string Current { get; private set; } = string.Empty;

    /// <summary>Applies every argument to the settings behind <paramref name="groups"/>. Throws <see cref="UsageException"/>.</summary>
    /// <param name="arguments">Behind the verb.</param>
    /// <param name="groups">All flags of the verb.</param>
    /// <param name="operand">Takes an argument that is no flag; null if the verb takes none.</param>
    public static void Apply(IReadOnlyList<string> arguments, IEnumerable<FlagGroup> groups, Action<string>? operand = null)
    {
        var flags = new Dictionary<string, Flag>(StringComparer.Ordinal);
        foreach (var flag in groups.SelectMany(group => group.Flags))
        {
            foreach (var name in flag.Names)
            {
                flags.Add(name, flag);
            }
        }

        var reader = new ArgumentReader(arguments);
        while (reader.MoveNext())
        {
            if (!flags.TryGetValue(reader.Current, out var flag))
            {
                if (operand is not null && !reader.Current.StartsWith('-'))
                {
                    operand(reader.Current);
                    continue;
                }

                throw new UsageException($"Unknown option '{reader.Current}'.");
            }

            flag.Apply(reader);
            if (reader._attached is not null)
            {
                throw new UsageException($"{reader.Current} takes no value.");
            }
        }
    }

    /// <summary>The next value of the current flag. Throws if there is none.</summary>
    /// <param name="what">What is missing then, in the words of the help.</param>
    public string Take(string what)
    {
        if (_attached is { } attached)
        {
            _attached = null;
            return attached;
        }

        return _next < arguments.Count
            ? arguments[_next++]
            : throw new UsageException($"{Current} argument given but no {what} specified.");
    }

    /// <summary>Leaves the rest unread: the flag decides alone. Always true.</summary>
    public bool Stop()
    {
        _next = arguments.Count;
        return true;
    }

    private bool MoveNext()
    {
        if (_next == arguments.Count)
        {
            return false;
        }

        Current = arguments[_next++];
        if (Current.StartsWith("--", StringComparison.Ordinal) && Current.IndexOf('=', StringComparison.Ordinal) is > 2 and var equals)
        {
            _attached = Current[(equals + 1)..];
            Current = Current[..equals];
        }

        return true;
    }
}
