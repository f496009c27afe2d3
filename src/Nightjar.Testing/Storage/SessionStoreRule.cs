using System.Globalization;

namespace Nightjar.Testing;

/// <summary>One rule of the contract of <see cref="ISessionStore"/>, and how to find out whether a store keeps it.</summary>
public sealed class SessionStoreRule
{
    // In real time, so that a store that never answers fails and does not hang. No store that works needs a tenth of it.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Func<StoreTrial, Task> _check;

    internal SessionStoreRule(string name, Func<StoreTrial, Task> check)
    {
        Name = name;
        _check = check;
    }

    /// <summary>What it demands, in a sentence.</summary>
    public string Name { get; }

    /// <summary>Tries it. Takes milliseconds; at most a minute with a store that never answers.</summary>
    /// <param name="createStore">Makes a new store, as in <see cref="SessionStoreConformance.RunAsync"/>.</param>
    /// <param name="afterKill">What a killed process leaves, as there.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="SessionStoreConformanceException">The store does not keep it; the message says what was seen.</exception>
    public async Task CheckAsync(Func<ISessionStore> createStore, Func<ISessionStore, ISessionStore>? afterKill = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(createStore);
        var trial = new StoreTrial(createStore, afterKill);
        try
        {
            await Task.Run(() => _check(trial), cancellationToken).WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
            trial.ThrowIfAnyComplaint();
        }
        catch (RuleBrokenException broken)
        {
            throw Broken(broken.Message, null);
        }
        catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            var what = error is TimeoutException ? string.Create(CultureInfo.InvariantCulture, $"it was not done after {Patience.TotalSeconds:0} s") : $"{error.GetType().Name}: {error.Message}";
            throw Broken(string.Join("; ", [what, .. trial.Complaints]), error);
        }
    }

    /// <summary>Its name.</summary>
    public override string ToString() => Name;

    private SessionStoreConformanceException Broken(string what, Exception? inner) => new($"\"{Name}\" is broken: {what}", [Name], inner);
}
