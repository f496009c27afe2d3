using System.Diagnostics.CodeAnalysis;

namespace Nightjar.Transport;

/// <summary>The switch that leaves TLS out of a trimmed program.</summary>
internal static class TlsFeature
{
    public const string Switch = "Nightjar.Tls";

    /// <summary>What to say when it is off.</summary>
    public const string SwitchedOff = $"TLS is switched off in this program; remove the runtime option '{Switch}', or set it to true.";

    [FeatureSwitchDefinition(Switch)]
    public static bool IsSupported => !AppContext.TryGetSwitch(Switch, out var enabled) || enabled;
}
