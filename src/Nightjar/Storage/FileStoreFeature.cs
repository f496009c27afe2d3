using System.Diagnostics.CodeAnalysis;

namespace Nightjar.Storage;

/// <summary>The switch that leaves the store on disk, and the encryption of its records, out of a trimmed program.</summary>
internal static class FileStoreFeature
{
    public const string Switch = "Nightjar.FileStore";

    /// <summary>What to say when it is off.</summary>
    public const string SwitchedOff = $"A FileSessionStore cannot be made: it is switched off in this program; remove the runtime option '{Switch}', or set it to true.";

    [FeatureSwitchDefinition(Switch)]
    public static bool IsSupported => !AppContext.TryGetSwitch(Switch, out var enabled) || enabled;
}
