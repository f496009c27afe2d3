using System.Globalization;

namespace Nightjar.Bench;

/// <summary>What the command line said.</summary>
internal sealed record BenchOptions
{
    public const string Usage = """
        Usage: bench/run [options]

          --row NAME     only the row NAME, or those whose name begins so; may be given again
          --quick        one run of one second each instead of five of three seconds
          --runs N       how many runs each (default 5); their median is printed
          --seconds S    how long each (default 3)
          --syscalls     count system calls too: each row once more in a child process, counted by
                         strace or, where that is missing, by the kernel (perf, as root)
          --floors       compare with the floors; ends with 1 if any row is below. Implies --syscalls
          --bare         only the bare sockets, to see what the machine does today
          --directory D  where the rows with a store have their files (default: the system's temporary
                         directory; fsync costs what the disk below it takes)
          --json FILE    write the figures there as well
          --list         the names of the rows
          --help         this

        README.md beside this script says how to read the figures.
        """;

    public List<string> Rows { get; } = [];

    public int Runs { get; private set; } = 5;

    public TimeSpan Time { get; private set; } = TimeSpan.FromSeconds(3);

    public bool SystemCalls { get; private set; }

    public bool Floors { get; private set; }

    public bool BareOnly { get; private set; }

    public string? Json { get; private set; }

    /// <summary>Where stores lie.</summary>
    public string Directory { get; private set; } = Path.GetTempPath();

    public bool List { get; private set; }

    public bool Help { get; private set; }

    /// <summary>Set by <see cref="SystemCallCount"/>: this process is the one whose calls are counted.</summary>
    public CountedChild.Arguments? Child { get; private set; }

    /// <summary>Throws <see cref="FormatException"/> for what it does not understand.</summary>
    public static BenchOptions Parse(string[] arguments)
    {
        var options = new BenchOptions();
        var rest = new Queue<string>(arguments);
        while (rest.TryDequeue(out var option))
        {
            switch (option)
            {
                case "--row":
                    options.Rows.Add(Value());
                    break;
                case "--quick":
                    (options.Runs, options.Time) = (1, TimeSpan.FromSeconds(1));
                    break;
                case "--runs":
                    options.Runs = Math.Max(1, Number());
                    break;
                case "--seconds":
                    options.Time = TimeSpan.FromSeconds(Math.Max(1, Number()));
                    break;
                case "--syscalls":
                    options.SystemCalls = true;
                    break;
                case "--floors":
                    options.Floors = options.SystemCalls = true;
                    break;
                case "--bare":
                    options.BareOnly = true;
                    break;
                case "--json":
                    options.Json = Value();
                    break;
                case "--directory":
                    options.Directory = Value();
                    break;
                case "--list":
                    options.List = true;
                    break;
                case "--help":
                    options.Help = true;
                    break;
                case CountedChild.Option:
                    options.Child = new CountedChild.Arguments(Value(), new PeerEndpoint(Number(), Number(), Number()), Number(), Value());
                    break;
                default:
                    throw new FormatException($"unknown option {option}");
            }

            string Value() => rest.TryDequeue(out var value) ? value : throw new FormatException($"{option} needs a value");
            int Number() => int.TryParse(Value(), CultureInfo.InvariantCulture, out var number) ? number : throw new FormatException($"{option} needs a number");
        }

        return options;
    }

    /// <summary>The rows to measure. Throws <see cref="FormatException"/> if there are none.</summary>
    public IReadOnlyList<Row> Select()
    {
        Row[] rows = [.. Row.All.Where(row => Rows.Count == 0 || Rows.Exists(name => Matches(row, name)))];
        return rows.Length > 0 ? rows : throw new FormatException($"no row begins with {string.Join(" or ", Rows)}; --list names them all");
    }

    private static bool Matches(Row row, string name) =>
        row.Name == name || (row.Name.StartsWith(name, StringComparison.Ordinal) && !Row.All.Any(other => other.Name == name));
}
