namespace Nightjar.Testing;

/// <summary>A store does not keep the contract of <see cref="ISessionStore"/>.</summary>
public sealed class SessionStoreConformanceException : Exception
{
    internal SessionStoreConformanceException(string message, IReadOnlyList<string> brokenRules, Exception? inner = null)
        : base(message, inner) => BrokenRules = brokenRules;

    /// <summary>The names of the rules that are broken.</summary>
    public IReadOnlyList<string> BrokenRules { get; }
}
