namespace Nightjar.Testing;

/// <summary>What a check saw that must not be.</summary>
internal sealed class RuleBrokenException(string message) : Exception(message);
