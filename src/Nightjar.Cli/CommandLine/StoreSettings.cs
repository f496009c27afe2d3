namespace Nightjar.Cli.CommandLine;

/// <summary>The flags of the verbs that only look at a store: its directory.</summary>
internal abstract class StoreSettings : VerbSettings
{
    /// <summary>The directory.</summary>
    public string Directory { get; private set; } = "";

    protected override Action<string> Operand => value =>
        Directory = Directory.Length == 0 ? value : throw new UsageException($"One directory at a time; '{value}' is the second.");

    /// <summary>The store. Throws <see cref="UsageException"/> if that can be none.</summary>
    public FileSessionStore ToStore()
    {
        try
        {
            return new FileSessionStore(Directory);
        }
        catch (ArgumentException error)
        {
            throw new UsageException($"'{Directory}' is no name of a directory.", error);
        }
    }

    protected override void Validate()
    {
        if (Directory.Length == 0)
        {
            throw new UsageException("The directory of the store is missing.");
        }
    }
}
