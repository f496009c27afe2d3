using Nightjar;

namespace Guides;

/// <summary>The samples of docs/delivery-guarantees.md.</summary>
internal static class DeliveryGuarantees
{
    public static MqttClientOptions OfTheMeter()
    {
        var options = new MqttClientOptions("mqtts://broker.example.com")
        {
            ClientId = ClientId.FromMachine("meter"),
            Session = { Store = new FileSessionStore("/var/lib/meter/session"), ExpiryInterval = TimeSpan.FromDays(7) },
        };
        return options;
    }

    public static async Task<DeliveryReceipt> KeepReadingAsync(MqttClient client)
    {
        var receipt = await client.EnqueueAsync(new OutgoingMessage("plant/meter/17", "21.5") { Id = "reading-4711" });
        return receipt;
    }

    public static Subscription BookOnce(MqttClient client, IDatabase database) =>
        client.On("orders/#", async message =>
        {
            await using var transaction = await database.BeginAsync();
            if (await transaction.TryInsertAsync(message.DeliveryId))       // false: this one was here before
            {
                await transaction.BookAsync(message.Text);
            }

            await transaction.CommitAsync();
        });
}

/// <summary>What a database gives: all that happens between begin and commit happens, or none of it.</summary>
internal interface IDatabase
{
    ValueTask<ITransaction> BeginAsync();
}

/// <summary>Disposed without a commit, nothing happened.</summary>
internal interface ITransaction : IAsyncDisposable
{
    /// <summary>Inserts a unique key; false if it is there.</summary>
    ValueTask<bool> TryInsertAsync(long deliveryId);

    ValueTask BookAsync(string order);

    ValueTask CommitAsync();
}
