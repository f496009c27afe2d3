namespace Nightjar.Cli.CommandLine;

/// <summary>The flags of the verbs that only look at a store.</summary>
internal abstract class StoreSettings : VerbSettings
{
    public StoreFlags Store { get; } = new();

    protected override Action<string> Operand => Store.TakeDirectory;

    protected override void Validate() => Store.ThrowIfNone();
}
