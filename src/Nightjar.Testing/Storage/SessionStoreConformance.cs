namespace Nightjar.Testing;

/// <summary>
/// Looks whether a store of your own keeps the contract of <see cref="ISessionStore"/>: <see cref="RunAsync"/> tries every rule, and <see cref="Rules"/> has them one by one, for a test framework that runs cases.
/// It needs no framework: a broken rule is a <see cref="SessionStoreConformanceException"/>. Thread-safe.
/// </summary>
/// <example>
/// <code>
/// await SessionStoreConformance.RunAsync(() => new MyStore(NewDirectory()));
/// </code>
/// </example>
public static class SessionStoreConformance
{
    /// <summary>All rules, in an order in which a broken one explains those behind it.</summary>
    public static IReadOnlyList<SessionStoreRule> Rules { get; } = [.. RecordRules.All, .. CommitRules.All, .. OpeningRules.All, .. ObsoleteRules.All];

    /// <summary>Checks every rule, each with stores of its own, one after the other.</summary>
    /// <param name="createStore">Makes a new store that nobody has opened yet. Stores that it made do not know of each other.</param>
    /// <param name="afterKill">
    /// Given a store that is open, and may be writing: another one, which nobody has open, with what a process that is killed at this moment leaves behind; for files, a copy as of one moment.
    /// Default: null, and the rules about that are passed over.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="SessionStoreConformanceException">Rules are broken; it says which, and how.</exception>
    public static async Task RunAsync(Func<ISessionStore> createStore, Func<ISessionStore, ISessionStore>? afterKill = null, CancellationToken cancellationToken = default)
    {
        var broken = new List<SessionStoreConformanceException>();
        foreach (var rule in Rules)
        {
            try
            {
                await rule.CheckAsync(createStore, afterKill, cancellationToken).ConfigureAwait(false);
            }
            catch (SessionStoreConformanceException failure)
            {
                broken.Add(failure);
            }
        }

        if (broken.Count > 0)
        {
            var lines = string.Concat(broken.Select(failure => $"{Environment.NewLine}- {failure.Message}"));
            throw new SessionStoreConformanceException(
                $"The store breaks {broken.Count} of {Rules.Count} rules:{lines}{Environment.NewLine}", [.. broken.SelectMany(failure => failure.BrokenRules)], broken[0].InnerException);
        }
    }
}
