namespace Nightjar.Testing;

/// <summary>Opening: one at a time, again and again, and what happens when it does not come to its end.</summary>
internal static class OpeningRules
{
    public static IReadOnlyList<SessionStoreRule> All { get; } =
    [
        new("A store keeps its identity", IdentityAsync),
        new("A store that is open cannot be opened a second time", OneUserAsync),
        new("An opening that is cancelled leaves the store as it was", CancelledAsync),
        new("What recovery throws ends the opening and leaves the store as it was", RecoveryThrowsAsync),
    ];

    private static async Task IdentityAsync(StoreTrial trial)
    {
        var store = trial.NewStore();
        var identity = Guid.Empty;
        for (var opening = 0; opening < 3; opening++)
        {
            var user = await trial.OpenAsync(store).ConfigureAwait(false);
            await using var closing = user.ConfigureAwait(false);
            var found = user.Log.StoreId;
            StoreTrial.Require(found != Guid.Empty, "StoreId is empty");
            StoreTrial.Require(identity == Guid.Empty || identity == found, $"StoreId was {identity} and is {found}");
            identity = found;
        }
    }

    private static async Task OneUserAsync(StoreTrial trial)
    {
        var store = trial.NewStore();
        var user = await trial.OpenAsync(store).ConfigureAwait(false);
        await using (user.ConfigureAwait(false))
        {
            var refusal = default(StorageException);
            try
            {
                var second = await trial.OpenAsync(store).ConfigureAwait(false);
                await using var closingSecond = second.ConfigureAwait(false);
            }
            catch (StorageException error)
            {
                refusal = error;
            }

            StoreTrial.Require(refusal is not null, "it could be opened twice");
            StoreTrial.Require(refusal!.Kind == StorageFailureKind.InUse, $"the refusal says {refusal.Kind} and not InUse: {refusal.Message}");
            await user.CommittedAsync(user.Append(1, [1])).ConfigureAwait(false);
        }

        var found = await trial.ReadAsync(store).ConfigureAwait(false);
        StoreTrial.Require(found.Count == 1, $"one record was appended while the second was refused, and {found.Count} came back");
    }

    private static async Task CancelledAsync(StoreTrial trial)
    {
        var (store, appended) = await OneRecordAsync(trial).ConfigureAwait(false);
        var user = new StoreUser(trial);
        var isCancelled = false;
        try
        {
            var log = await store.OpenAsync(user, user, new CancellationToken(canceled: true)).ConfigureAwait(false);
            await using var closingLog = log.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            isCancelled = true;
        }

        StoreTrial.Require(isCancelled, "opening with a token that was cancelled before did not throw an OperationCanceledException");
        StoreTrial.RequireEqual(appended, await trial.ReadAsync(store).ConfigureAwait(false));
    }

    private static async Task RecoveryThrowsAsync(StoreTrial trial)
    {
        var (store, appended) = await OneRecordAsync(trial).ConfigureAwait(false);
        var user = new StoreUser(trial);
        var isOut = false;
        try
        {
            var log = await store.OpenAsync(new FailingRecovery(), user).ConfigureAwait(false);
            await using var closingLog = log.ConfigureAwait(false);
        }
        catch (InvalidDataException)
        {
            isOut = true;
        }

        StoreTrial.Require(isOut, "the exception of ISessionRecovery.Record did not come out of OpenAsync");
        StoreTrial.RequireEqual(appended, await trial.ReadAsync(store).ConfigureAwait(false));
    }

    private static async Task<(ISessionStore Store, IReadOnlyList<StoredRecord> Appended)> OneRecordAsync(StoreTrial trial)
    {
        var store = trial.NewStore();
        var user = await trial.OpenAsync(store).ConfigureAwait(false);
        await using var closing = user.ConfigureAwait(false);
        return (store, [new StoredRecord(user.Append(1, [1, 2, 3]), 1, [1, 2, 3])]);
    }

    private sealed class FailingRecovery : ISessionRecovery
    {
        public void Record(long sequence, byte type, ReadOnlySpan<byte> payload) => throw new InvalidDataException("on purpose");

        public void Damage(in DamagedRecords stretch)
        {
        }
    }
}
