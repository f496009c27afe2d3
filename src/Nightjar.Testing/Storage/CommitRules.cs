namespace Nightjar.Testing;

/// <summary>When records are committed, how that is said, and what it is worth.</summary>
internal static class CommitRules
{
    public static IReadOnlyList<SessionStoreRule> All { get; } =
    [
        new("Each record is committed by itself, in order, and never from within Append", ByItselfAsync),
        new("Events come one at a time, also when many append", OneAtATimeAsync),
        new("An event may append", EventsMayAppendAsync),
        new("Disposing commits what was appended, and no event comes after it", DisposingAsync),
        new("A log that is closed takes no more records", ClosedAsync),
        new("What is committed survives the process", SurvivesAsync),
    ];

    private static async Task ByItselfAsync(StoreTrial trial)
    {
        var user = await trial.OpenAsync(trial.NewStore()).ConfigureAwait(false);
        await using var closing = user.ConfigureAwait(false);
        var given = new HashSet<long>();
        for (var i = 0; i < 50; i++)
        {
            given.Add(user.Append(1, RecordRules.Payload(i, i)));
            var last = user.Append(2, []);
            given.Add(last);
            await user.CommittedAsync(last).ConfigureAwait(false);
            trial.ThrowIfAnyComplaint();
        }

        var strange = user.Commits.FirstOrDefault(sequence => !given.Contains(sequence));
        StoreTrial.Require(strange == 0, $"Committed({strange}) was called, and no record has that number");
    }

    private static async Task OneAtATimeAsync(StoreTrial trial)
    {
        var user = await trial.OpenAsync(trial.NewStore()).ConfigureAwait(false);
        await using var closing = user.ConfigureAwait(false);
        user.Linger();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 500; i++)
            {
                user.Append(1, new byte[10]);
            }
        }))).ConfigureAwait(false);
        await user.CommittedAsync(user.Append(1, [])).ConfigureAwait(false);
    }

    private static async Task EventsMayAppendAsync(StoreTrial trial)
    {
        const int Appends = 20;
        var store = trial.NewStore();
        var user = await trial.OpenAsync(store).ConfigureAwait(false);
        await using (user.ConfigureAwait(false))
        {
            var left = Appends;
            var last = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            user.OnCommitted = _ =>
            {
                if (left > 0)
                {
                    var sequence = user.Append(2, []);
                    if (--left == 0)
                    {
                        last.SetResult(sequence);
                    }
                }
            };
            user.Append(1, []);
            await user.CommittedAsync(await last.Task.ConfigureAwait(false)).ConfigureAwait(false);
        }

        var found = await trial.ReadAsync(store).ConfigureAwait(false);
        StoreTrial.Require(found.Count == Appends + 1, $"{Appends + 1} records were appended and {found.Count} came back");
    }

    private static async Task DisposingAsync(StoreTrial trial)
    {
        var store = trial.NewStore();
        var user = await trial.OpenAsync(store).ConfigureAwait(false);
        var last = 0L;
        for (var i = 0; i < 2000; i++)
        {
            last = user.Append(1, new byte[50]);
        }

        await user.DisposeAsync().ConfigureAwait(false);
        var committed = user.LastCommitted;
        StoreTrial.Require(committed == last, $"{last} was the last record, and {committed} the last that was committed when DisposeAsync ended");
        StoreTrial.Require((await trial.ReadAsync(store).ConfigureAwait(false)).Count == 2000, "not all of them came back");
        await user.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task ClosedAsync(StoreTrial trial)
    {
        var store = trial.NewStore();
        var user = await trial.OpenAsync(store).ConfigureAwait(false);
        var last = user.Append(1, [1]);
        await user.DisposeAsync().ConfigureAwait(false);
        var isRefused = false;
        try
        {
            user.Append(1, [2]);
        }
        catch (ObjectDisposedException)
        {
            isRefused = true;
        }

        StoreTrial.Require(isRefused, "Append did not throw an ObjectDisposedException");
        user.Obsolete(last);
        var found = await trial.ReadAsync(store).ConfigureAwait(false);
        StoreTrial.Require(found.Count == 1, $"one record was appended before and {found.Count} came back");
    }

    private static async Task SurvivesAsync(StoreTrial trial)
    {
        if (!trial.CanBeKilled)
        {
            return;
        }

        var store = trial.NewStore();
        var user = await trial.OpenAsync(store).ConfigureAwait(false);
        await using var closing = user.ConfigureAwait(false);
        var appended = new List<StoredRecord>();
        for (var round = 0; round < 30; round++)
        {
            for (var i = 0; i < 20; i++)
            {
                var payload = RecordRules.Payload(i * 10, i);
                appended.Add(new StoredRecord(user.Append((byte)round, payload), (byte)round, payload));
            }

            await user.CommittedAsync(appended[^(round % 20 + 1)].Sequence).ConfigureAwait(false);
            var committed = user.LastCommitted;
            var found = await trial.ReadAfterKillAsync(store).ConfigureAwait(false);
            var sure = appended.Count(record => record.Sequence <= committed);
            StoreTrial.Require(found.Count >= sure, $"{sure} records were committed, and {found.Count} came back after a kill");
            StoreTrial.RequireEqual([.. appended.Take(found.Count)], found);
        }
    }
}
