namespace Nightjar.Cli.CommandLine;

/// <summary>What one verb can be told: its flags, and what they were set to. Read it, then ask its properties.</summary>
internal abstract class VerbSettings
{
    private readonly List<FlagGroup> _groups = [];

    /// <summary>The help page was asked for; then nothing else counts.</summary>
    public bool Help { get; private set; }

    /// <summary>As <see cref="Help"/>, for the version.</summary>
    public bool ShowVersion { get; private set; }

    /// <summary>Whether errors and warnings of the run are left out.</summary>
    public bool Quiet { get; private set; }

    /// <summary>Whether control characters reach even a terminal as they are.</summary>
    public bool Raw { get; private set; }

    public bool Debug { get; private set; }

    /// <summary>The first lines of the help page.</summary>
    protected abstract string Usage { get; }

    /// <summary>What the help page says after the flags: titles and lines.</summary>
    protected virtual IReadOnlyList<(string Title, string Text)> More => [("Exit status", ExitCode.Table)];

    /// <summary>Reads the arguments. Throws <see cref="UsageException"/>.</summary>
    public void Read(IReadOnlyList<string> arguments)
    {
        ArgumentReader.Apply(arguments, _groups, Operand);
        if (!Help && !ShowVersion)
        {
            Validate();
        }
    }

    /// <summary>The help page, generated from the flags.</summary>
    public string HelpText() => HelpPage.Render(Usage, _groups, More);

    /// <summary>Takes an argument that is no flag; null: there is none.</summary>
    protected virtual Action<string>? Operand => null;

    /// <summary>Throws <see cref="UsageException"/> for what does not fit together.</summary>
    protected virtual void Validate()
    {
    }

    /// <summary>Adds flags, in the order of the help page.</summary>
    protected void Add(params IEnumerable<FlagGroup> groups) => _groups.AddRange(groups);

    /// <summary>Adds the flags that every verb has.</summary>
    protected void AddGeneral() => Add(new FlagGroup("General",
    [
        new("--quiet", "print no errors and warnings of the run", () => Quiet = true),
        new("--raw", "on a terminal too, print control characters as they are", () => Raw = true),
        new("-d --debug", "say on standard error what happens", () => Debug = true),
        new("--help", "print this page", arguments => Help = arguments.Stop()),
        new("--version", "print the version", arguments => ShowVersion = arguments.Stop()),
    ]));
}
