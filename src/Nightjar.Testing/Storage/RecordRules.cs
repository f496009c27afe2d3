namespace Nightjar.Testing;

/// <summary>What is appended comes back, in order and with numbers of its own.</summary>
internal static class RecordRules
{
    private static readonly int[] Sizes = [0, 1, 7, 8, 9, 100, 4096, 70_000, 1_500_000, 3];

    public static IReadOnlyList<SessionStoreRule> All { get; } =
    [
        new("A new store is empty", async trial => StoreTrial.RequireEqual([], await trial.ReadAsync(trial.NewStore()).ConfigureAwait(false))),
        new("Records come back as they were appended", ComeBackAsync),
        new("A payload in two parts comes back as one", TwoPartsAsync),
        new("Append copies what it is given", CopiesAsync),
        new("Numbers are greater than zero and grow", NumbersGrowAsync),
        new("No number is given again after the store was opened again", NumbersAreNotReusedAsync),
        new("Records of several threads are in one order, each thread's in its own", ThreadsAsync),
        new("Stores do not know of each other", StoresAreApartAsync),
    ];

    public static byte[] Payload(int size, int seed)
    {
        var bytes = new byte[size];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static async Task ComeBackAsync(StoreTrial trial)
    {
        var store = trial.NewStore();
        var appended = new List<StoredRecord>();
        for (var opening = 0; opening < 3; opening++)
        {
            var user = await trial.OpenAsync(store).ConfigureAwait(false);
            await using var closing = user.ConfigureAwait(false);
            StoreTrial.RequireEqual(appended, user.Recovered);
            foreach (var (index, size) in Sizes.Index())
            {
                Append(user, (byte)(index * 28), Payload(size, index + opening), appended);
            }
        }

        StoreTrial.RequireEqual(appended, await trial.ReadAsync(store).ConfigureAwait(false));
    }

    private static async Task TwoPartsAsync(StoreTrial trial)
    {
        var store = trial.NewStore();
        var payload = Payload(50, 1);
        var appended = new List<StoredRecord>();
        var user = await trial.OpenAsync(store).ConfigureAwait(false);
        await using (user.ConfigureAwait(false))
        {
            for (var cut = 0; cut <= payload.Length; cut++)
            {
                appended.Add(new StoredRecord(user.Append(1, payload.AsSpan(0, cut), payload.AsSpan(cut)), 1, payload));
            }
        }

        StoreTrial.RequireEqual(appended, await trial.ReadAsync(store).ConfigureAwait(false));
    }

    private static async Task CopiesAsync(StoreTrial trial)
    {
        var store = trial.NewStore();
        var appended = new List<StoredRecord>();
        var user = await trial.OpenAsync(store).ConfigureAwait(false);
        await using (user.ConfigureAwait(false))
        {
            var reused = new byte[100];
            for (var i = 0; i < 100; i++)
            {
                reused.AsSpan().Fill((byte)i);
                appended.Add(new StoredRecord(user.Append(1, reused.AsSpan(0, 40), reused.AsSpan(40)), 1, [.. reused]));
            }

            reused.AsSpan().Clear();
        }

        StoreTrial.RequireEqual(appended, await trial.ReadAsync(store).ConfigureAwait(false));
    }

    private static async Task NumbersGrowAsync(StoreTrial trial)
    {
        var user = await trial.OpenAsync(trial.NewStore()).ConfigureAwait(false);
        await using var closing = user.ConfigureAwait(false);
        var last = 0L;
        for (var i = 0; i < 1000; i++)
        {
            var sequence = user.Append(1, []);
            StoreTrial.Require(sequence > last, $"after {last} Append gave {sequence}");
            last = sequence;
        }
    }

    private static async Task NumbersAreNotReusedAsync(StoreTrial trial)
    {
        var store = trial.NewStore();
        var last = 0L;
        for (var opening = 0; opening < 4; opening++)
        {
            var user = await trial.OpenAsync(store).ConfigureAwait(false);
            await using var closing = user.ConfigureAwait(false);
            var sequence = user.Append(1, []);
            StoreTrial.Require(sequence > last, $"an earlier opening had given {last}, and this one gave {sequence}");
            last = user.Append(1, []);

            // Nothing is left that would remind the store of them.
            user.Obsolete(last);
        }
    }

    private static async Task ThreadsAsync(StoreTrial trial)
    {
        const int Threads = 4;
        const int Each = 500;
        var store = trial.NewStore();
        var user = await trial.OpenAsync(store).ConfigureAwait(false);
        await using (user.ConfigureAwait(false))
        {
            await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
            {
                var last = 0L;
                for (var i = 0; i < Each; i++)
                {
                    var sequence = user.Append((byte)thread, BitConverter.GetBytes(i));
                    StoreTrial.Require(sequence > last, $"after {last} a thread was given {sequence}");
                    last = sequence;
                }
            }))).ConfigureAwait(false);
        }

        var found = await trial.ReadAsync(store).ConfigureAwait(false);
        StoreTrial.Require(found.Count == Threads * Each, $"{Threads * Each} records were appended and {found.Count} came back");
        for (var thread = 0; thread < Threads; thread++)
        {
            var numbers = found.Where(record => record.Type == thread).Select(record => BitConverter.ToInt32(record.Payload));
            StoreTrial.Require(numbers.SequenceEqual(Enumerable.Range(0, Each)), $"the records of thread {thread} came back in another order");
        }
    }

    private static async Task StoresAreApartAsync(StoreTrial trial)
    {
        var (one, other) = (trial.NewStore(), trial.NewStore());
        var appended = new List<StoredRecord>();
        var first = await trial.OpenAsync(one).ConfigureAwait(false);
        var second = await trial.OpenAsync(other).ConfigureAwait(false);
        await using (first.ConfigureAwait(false))
        await using (second.ConfigureAwait(false))
        {
            StoreTrial.Require(first.Log.StoreId != second.Log.StoreId, $"both have the identity {first.Log.StoreId}");
            Append(first, 1, [1], appended);
        }

        StoreTrial.RequireEqual([], await trial.ReadAsync(other).ConfigureAwait(false));
        StoreTrial.RequireEqual(appended, await trial.ReadAsync(one).ConfigureAwait(false));
    }

    private static void Append(StoreUser user, byte type, byte[] payload, List<StoredRecord> appended) => appended.Add(new StoredRecord(user.Append(type, payload), type, payload));
}
