using Nightjar;
using Nightjar.Testing;
using Xunit;

namespace Guides;

/// <summary>docs/delivery-guarantees.md says what is true.</summary>
public sealed class DeliveryGuaranteesTests
{
    [Fact]
    public void The_meter_keeps_its_session_in_a_directory()
    {
        var options = DeliveryGuarantees.OfTheMeter();

        Assert.Equal(Path.GetFullPath("/var/lib/meter/session"), Assert.IsType<FileSessionStore>(options.Session.Store).Directory);
    }

    [Fact]
    public async Task A_reading_that_was_kept_is_sent_by_the_next_client_once()
    {
        await using var broker = InMemory.Broker();
        var store = new MemorySessionStore();
        await using (var offline = new MqttClient(OptionsFor(broker, store, isOffline: true)))
        {
            await DeliveryGuarantees.KeepReadingAsync(offline);
        }

        Assert.Empty(broker.Published);
        await using var client = new MqttClient(OptionsFor(broker, store, isOffline: false));
        var again = await DeliveryGuarantees.KeepReadingAsync(client);
        await again.Acknowledged;
        await client.DrainAsync(TestContext.Current.CancellationToken);

        Assert.Equal("21.5", Assert.Single(broker.Published).Text);
    }

    [Fact]
    public async Task An_order_that_comes_again_is_booked_once()
    {
        await using var broker = InMemory.Broker();
        var store = new MemorySessionStore();
        var database = new Database();
        await using (var first = new MqttClient(OptionsFor(broker, store, isOffline: false)))
        {
            // The process is killed behind the commit: for the server and for the store this order was never handled.
            database.FailsAfterCommit = true;
            await DeliveryGuarantees.BookOnce(first, database).Granted;
            await broker.PublishAsync("orders/1", "1 engine", QoS.ExactlyOnce);
            await database.Committed(1).WaitAsync(TestContext.Current.CancellationToken);
        }

        database.FailsAfterCommit = false;
        await using var second = new MqttClient(OptionsFor(broker, store, isOffline: false));
        await DeliveryGuarantees.BookOnce(second, database).Granted;
        await database.Committed(2).WaitAsync(TestContext.Current.CancellationToken);

        Assert.Equal(["1 engine"], database.Orders);
        Assert.DoesNotContain(0, database.Keys);
    }

    private static MqttClientOptions OptionsFor(MqttTestBroker broker, ISessionStore store, bool isOffline)
    {
        var options = InMemory.OptionsFor(broker);
        options.ClientId = "meter";
        options.DrainTimeout = TimeSpan.Zero;
        options.Session.Store = store;
        options.Connection.Schedule = isOffline ? ConnectionSchedule.From(static _ => null) : null;
        return options;
    }

    private sealed class Database : IDatabase
    {
        private readonly Lock _lock = new();
        private readonly Dictionary<int, TaskCompletionSource> _waiting = [];
        private readonly HashSet<long> _keys = [];
        private readonly List<string> _orders = [];
        private int _commits;

        public bool FailsAfterCommit { get; set; }

        public IReadOnlyCollection<long> Keys => _keys;

        public IReadOnlyList<string> Orders => _orders;

        public ValueTask<ITransaction> BeginAsync() => ValueTask.FromResult<ITransaction>(new Transaction(this));

        public Task Committed(int times)
        {
            lock (_lock)
            {
                var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _waiting[times] = source;
                if (_commits >= times)
                {
                    source.SetResult();
                }

                return source.Task;
            }
        }

        private void Commit(long key, string? order)
        {
            lock (_lock)
            {
                _keys.Add(key);
                if (order is not null)
                {
                    _orders.Add(order);
                }

                _commits++;
                if (_waiting.TryGetValue(_commits, out var source))
                {
                    source.TrySetResult();
                }
            }
        }

        private sealed class Transaction(Database database) : ITransaction
        {
            private long _key;
            private string? _order;

            public ValueTask<bool> TryInsertAsync(long deliveryId)
            {
                _key = deliveryId;
                return ValueTask.FromResult(!database._keys.Contains(deliveryId));
            }

            public ValueTask BookAsync(string order)
            {
                _order = order;
                return ValueTask.CompletedTask;
            }

            public async ValueTask CommitAsync()
            {
                database.Commit(_key, _order);
                if (database.FailsAfterCommit)
                {
                    await Task.Delay(Timeout.Infinite);
                }
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
