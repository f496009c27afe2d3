namespace Nightjar.Testing;

/// <summary>What may go, and when.</summary>
internal static class ObsoleteRules
{
    private const int Size = 1000;

    public static IReadOnlyList<SessionStoreRule> All { get; } =
    [
        new("Obsolete takes nothing that is newer, and the oldest first", OldestFirstAsync),
        new("What is obsolete stays until what was appended in its place is committed", ReplacedAsync),
    ];

    private static async Task OldestFirstAsync(StoreTrial trial)
    {
        var store = trial.NewStore();
        var appended = new List<StoredRecord>();
        var obsolete = 0L;
        for (var opening = 0; opening < 4; opening++)
        {
            var user = await trial.OpenAsync(store).ConfigureAwait(false);
            await using var closing = user.ConfigureAwait(false);
            RequireEnd(appended, user.Recovered, obsolete);
            for (var i = 0; i < 200; i++)
            {
                var payload = RecordRules.Payload(Size, i);
                appended.Add(new StoredRecord(user.Append(1, payload), 1, payload));
                if (i % 10 == 0)
                {
                    obsolete = appended[appended.Count / 2].Sequence;
                    user.Obsolete(obsolete);

                    // An earlier one takes nothing back.
                    user.Obsolete(appended[0].Sequence);
                }
            }

            await user.CommittedAsync(appended[^1].Sequence).ConfigureAwait(false);
        }

        RequireEnd(appended, await trial.ReadAsync(store).ConfigureAwait(false), obsolete);
    }

    private static async Task ReplacedAsync(StoreTrial trial)
    {
        if (!trial.CanBeKilled)
        {
            return;
        }

        // One record that must never be lost is written again and again, and each time what is older becomes obsolete.
        var store = trial.NewStore();
        var user = await trial.OpenAsync(store).ConfigureAwait(false);
        await using var closing = user.ConfigureAwait(false);
        await user.CommittedAsync(user.Append(7, new byte[Size])).ConfigureAwait(false);
        for (var round = 0; round < 30; round++)
        {
            for (var i = 0; i < 20; i++)
            {
                user.Obsolete(user.Append(7, new byte[Size]) - 1);
            }

            var found = await trial.ReadAfterKillAsync(store).ConfigureAwait(false);
            StoreTrial.Require(found.Count > 0, "after a kill neither the obsolete record was there nor the one in its place");
        }
    }

    /// <summary>That what came back is the end of what was appended, without gaps, and all that is newer than what is obsolete.</summary>
    private static void RequireEnd(List<StoredRecord> appended, IReadOnlyList<StoredRecord> found, long obsolete)
    {
        var needed = appended.Count(record => record.Sequence > obsolete);
        StoreTrial.Require(found.Count >= needed, $"{needed} records were newer than what was obsolete, and {found.Count} came back");
        StoreTrial.RequireEqual([.. appended.Skip(appended.Count - found.Count)], found);
    }
}
