namespace Nightjar.Testing;

/// <summary>The stores of one check, and what was wrong with the calls that came from them.</summary>
internal sealed class StoreTrial(Func<ISessionStore> createStore, Func<ISessionStore, ISessionStore>? afterKill)
{
    private readonly Lock _lock = new();
    private readonly List<string> _complaints = [];

    public bool CanBeKilled => afterKill is not null;

    public IReadOnlyList<string> Complaints
    {
        get
        {
            lock (_lock)
            {
                return [.. _complaints];
            }
        }
    }

    public ISessionStore NewStore() => createStore() ?? throw new RuleBrokenException("createStore gave null");

    /// <summary>What lies there after a kill.</summary>
    public async Task<IReadOnlyList<StoredRecord>> ReadAfterKillAsync(ISessionStore store)
    {
        var user = new StoreUser(this, wasKilled: true);
        await using var closing = user.ConfigureAwait(false);
        await user.OpenAsync(afterKill!(store)).ConfigureAwait(false);
        return user.Recovered;
    }

    public async Task<StoreUser> OpenAsync(ISessionStore store)
    {
        var user = new StoreUser(this);
        await user.OpenAsync(store).ConfigureAwait(false);
        return user;
    }

    /// <summary>What lies in a store that nobody has open.</summary>
    public async Task<IReadOnlyList<StoredRecord>> ReadAsync(ISessionStore store)
    {
        var user = await OpenAsync(store).ConfigureAwait(false);
        await using var closing = user.ConfigureAwait(false);
        return user.Recovered;
    }

    public void Complain(string what)
    {
        lock (_lock)
        {
            if (!_complaints.Contains(what))
            {
                _complaints.Add(what);
            }
        }
    }

    public void ThrowIfAnyComplaint()
    {
        if (Complaints is { Count: > 0 } complaints)
        {
            throw new RuleBrokenException(string.Join("; ", complaints));
        }
    }

    public static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new RuleBrokenException(otherwise);
        }
    }

    /// <summary>That these came back, exactly and in this order.</summary>
    public static void RequireEqual(IReadOnlyList<StoredRecord> expected, IReadOnlyList<StoredRecord> found)
    {
        for (var i = 0; i < Math.Min(expected.Count, found.Count); i++)
        {
            Require(expected[i].IsSame(found[i]), $"record {i} was appended as {expected[i]} and came back as {found[i]}");
        }

        Require(expected.Count == found.Count, $"{expected.Count} records were appended and {found.Count} came back");
    }
}
