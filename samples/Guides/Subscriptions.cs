using System.Globalization;
using Nightjar;

namespace Guides;

/// <summary>The samples of docs/subscriptions.md.</summary>
internal static class Subscriptions
{
    public static async Task LoopAsync(MqttClient client, Store store)
    {
        await foreach (var message in client.Subscribe("home/+/temperature"))
        {
            await store.SaveAsync(message.Topic, message.Text); // asking for the next message acknowledges this one
        }
    }

    public static async Task<MqttMessage> FirstAsync(MqttClient client)
    {
        await using var subscription = client.Subscribe("home/door");
        await foreach (var message in subscription)
        {
            await subscription.AcknowledgeAsync(); // leaving the loop would leave it unacknowledged
            return message;
        }

        throw new InvalidOperationException("The subscription has ended.");
    }

    public static async Task<Subscription> HandleAsync(MqttClient client, Store store)
    {
        var subscription = client.On("home/+/temperature", async (message, cancellation) =>
        {
            await store.SaveAsync(message.Topic, message.Text, cancellation);
        });
        Console.WriteLine($"granted: QoS {(int)await subscription.Granted}"); // throws MqttRefusedException if it was refused
        return subscription;
    }

    public static Subscription CountBytes(MqttClient client, Action<int> count)
    {
        var subscription = client.OnLeased("plant/#", message => count(message.Payload.Length)); // still in the receive buffer: nothing is copied
        return subscription;
    }

    public static async Task<Subscription> SeveralAsync(MqttClient client, Store store, Action<string> tell)
    {
        var subscription = client.On(["home/+/temperature", "home/+/humidity"], message => store.SaveAsync(message.Topic, message.Text));
        foreach (var result in await subscription.Results)
        {
            tell(result.IsGranted ? $"{result.Filter}: QoS {(int)result.GrantedQoS!}" : $"{result.Filter}: {result.ReasonCode}");
        }

        return subscription;
    }

    public static SubscriptionScope Device(MqttClient client, Action<MqttMessage> execute, Action<MqttMessage> configure)
    {
        var device = client.CreateScope("device/17/#");
        device.On("device/17/command/+", execute);
        device.On("device/17/config", configure);
        return device;
    }

    public static Subscription Stray(MqttClient client, Action<string> tell)
    {
        var subscription = client.OnUnrouted(message => tell($"nobody wants {message.Topic}"));
        return subscription;
    }

    public static void InBatches(MqttClient client, Store store)
    {
        var batch = new List<MqttMessage>();
        client.On(
            "orders/+",
            async message =>
            {
                batch.Add(message);
                if (batch.Count == 10)
                {
                    await store.SaveAsync(batch);
                    batch.ForEach(saved => saved.Acknowledge());
                    batch.Clear();
                }
            },
            new SubscribeOptions { Acknowledge = AcknowledgeMode.Manual });
    }

    public static MqttClient StoreFirst(MqttClientOptions options, string directory, Store store)
    {
        options.Session.Store = new FileSessionStore(directory);
        var client = new MqttClient(options);
        client.On(
            "orders/+",
            message => store.SaveOnceAsync(message.DeliveryId, message.Topic, message.Text), // one transaction; a number that is there already is passed over
            new SubscribeOptions { Acknowledge = AcknowledgeMode.Stored });
        return client;
    }

    public static void Refuse(MqttClient client)
    {
        client.On(
            "orders/+",
            message => message.Acknowledge(message.Payload.IsEmpty ? ReasonCode.PayloadFormatInvalid : ReasonCode.Success),
            new SubscribeOptions { Acknowledge = AcknowledgeMode.Manual });
    }

    public static Subscription PutAside(MqttClient client, Func<MqttMessage, ValueTask> handler)
    {
        var options = new SubscribeOptions
        {
            OnPoison = async (message, error) =>
            {
                await client.PublishAsync(new OutgoingMessage($"dead/{message.Topic}", message.Payload)
                {
                    UserProperties = [new UserProperty("error", error.Message)],
                });
                return MessageOutcome.Acknowledge;
            },
        };
        var subscription = client.On("orders/+", handler, options);
        return subscription;
    }

    public static Subscription BesideEachOther(MqttClient client, Func<MqttMessage, ValueTask> handler)
    {
        var options = new SubscribeOptions
        {
            MaxConcurrency = 8,
            OrderBy = message => message.Level(1), // of device/17/state: 17
        };
        var subscription = client.On("device/+/state", handler, options);
        return subscription;
    }

    public static async Task OneAtATimeAsync(MqttClientOptions options, CancellationToken stopping)
    {
        options.HandlerContext = HandlerContext.Serial;
        await using var client = new MqttClient(options);

        var total = 0; // needs no lock
        client.On("in/+", _ => total++);
        client.On("out/+", _ => total--);
        await client.PostAsync(() => total = 10);

        await client.RunAsync(stopping);
    }

    public static Subscription Answer(MqttClient client)
    {
        var subscription = client.Respond("time/utc", _ => DateTimeOffset.UtcNow.ToString("O", CultureInfo.InvariantCulture));
        return subscription;
    }

    public static async Task<string> AskAsync(MqttClient client)
    {
        try
        {
            var answer = await client.RequestAsync("time/utc", "", TimeSpan.FromSeconds(5));
            return answer.Text;
        }
        catch (MqttNoResponderException)
        {
            return "nobody there";
        }
        catch (MqttTimeoutException)
        {
            return "no answer";
        }
    }
}

/// <summary>Stands for a database.</summary>
internal sealed class Store
{
    private readonly System.Threading.Channels.Channel<string> _saved = System.Threading.Channels.Channel.CreateUnbounded<string>();

    private readonly System.Collections.Concurrent.ConcurrentDictionary<long, byte> _numbers = [];

    public ValueTask SaveAsync(string topic, string text, CancellationToken cancellation = default) => _saved.Writer.WriteAsync($"{topic} {text}", cancellation);

    public ValueTask SaveOnceAsync(long number, string topic, string text) => _numbers.TryAdd(number, 0) ? SaveAsync(topic, text) : default;

    public async ValueTask SaveAsync(IEnumerable<MqttMessage> messages)
    {
        foreach (var message in messages)
        {
            await SaveAsync(message.Topic, message.Text);
        }
    }

    public ValueTask<string> NextAsync(CancellationToken cancellation) => _saved.Reader.ReadAsync(cancellation);
}
