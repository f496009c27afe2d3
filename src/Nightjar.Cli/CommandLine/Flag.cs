namespace Nightjar.Cli.CommandLine;

/// <summary>One flag: how it is written, what follows it, what the help says of it, and what it does to the settings.</summary>
internal sealed class Flag
{
    /// <summary>A flag followed by one value.</summary>
    public Flag(string names, string value, string help, Action<string> apply)
    {
        Names = Split(names);
        Value = value;
        Help = help;
        Apply = arguments => apply(arguments.Take(value));
    }

    /// <summary>A flag that stands alone.</summary>
    public Flag(string names, string help, Action apply)
    {
        Names = Split(names);
        Help = help;
        Apply = _ => apply();
    }

    /// <summary>A flag that stands alone, and has a say in how reading goes on.</summary>
    public Flag(string names, string help, Action<ArgumentReader> apply)
    {
        Names = Split(names);
        Help = help;
        Apply = apply;
    }

    /// <summary>A flag that takes as many values as it needs.</summary>
    public Flag(string names, string value, string help, Action<ArgumentReader> apply)
    {
        Names = Split(names);
        Value = value;
        Help = help;
        Apply = apply;
    }

    /// <summary>The spellings, short before long.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>What follows it, for the help; null if nothing does.</summary>
    public string? Value { get; }

    /// <summary>One or more lines for the help page; empty: the flag is known and not shown.</summary>
    public string Help { get; }

    public Action<ArgumentReader> Apply { get; }

    private static string[] Split(string names) => names.Split(' ');
}

/// <summary>Flags under one heading of the help page.</summary>
internal sealed record FlagGroup(string Title, IReadOnlyList<Flag> Flags);
