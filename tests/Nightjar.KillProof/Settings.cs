using System.Globalization;

namespace Nightjar.KillProof;

/// <summary>The command line: a role, the URI of the broker, the directory of the store, and what else there is as <c>name=value</c>.</summary>
internal sealed class Settings(string[] arguments)
{
    public const string Topic = "kill";

    /// <summary>The payload after which there is nothing more to wait for.</summary>
    public const string End = "end";

    public string Role => arguments[0];

    /// <summary>The highest QoS of the way: of the messages, and of the subscription.</summary>
    public QoS QoS => (QoS)Number("qos", 2);

    /// <summary>How many messages there are in all.</summary>
    public int Messages => Number("messages", 20_000);

    /// <summary>The first that this start enqueues; it must not be greater than what an earlier start knew to be stored.</summary>
    public int From => Number("from", 1);

    /// <summary>The most that are neither acknowledged nor given up, so that a short life does not get far; 0: no limit.</summary>
    public int Window => Number("window", 0);

    /// <summary>How often a line says how far it is.</summary>
    public int Step => Number("step", 10);

    /// <summary>Whether the publisher stays when it is done, to be killed.</summary>
    public bool Hold => Number("hold", 0) != 0;

    /// <summary>After so many messages the handler takes a millisecond; 0: never.</summary>
    public int Rest => Number("rest", 0);

    public AcknowledgeMode Acknowledge => Enum.Parse<AcknowledgeMode>(Text("acknowledge") ?? nameof(AcknowledgeMode.AfterHandler));

    /// <summary>Where the subscriber writes down what it handled.</summary>
    public string File => Text("file") ?? throw new InvalidOperationException("file=PATH is missing.");

    public MqttClientOptions ToClientOptions() => new(arguments[1])
    {
        ClientId = Role,
        Session = new SessionOptions
        {
            CleanStart = false,
            ExpiryInterval = Timeout.InfiniteTimeSpan,
            Store = new FileSessionStore(arguments[2], new FileSessionStoreOptions { Durability = Enum.Parse<Durability>(Text("durability") ?? nameof(Durability.Grouped)) }),
        },
        // Mosquitto 2.0.11 sends more than it was allowed; that it is told so is the matter of other tests.
        Receive = new ReceiveOptions { ReceiveMaximum = ushort.MaxValue },
        Reconnect = new ReconnectOptions { FirstConnect = FirstConnect.KeepTrying, MinimumDelay = TimeSpan.FromMilliseconds(20), MaximumDelay = TimeSpan.FromMilliseconds(200) },
    };

    /// <summary>Tells the test.</summary>
    public static void Say(string line) => Console.Out.WriteLine(line);

    private int Number(string name, int usual) => Text(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : usual;

    // What is said last counts.
    private string? Text(string name) =>
        Array.FindLast(arguments, argument => argument.StartsWith(name + "=", StringComparison.Ordinal)) is { } found ? found[(name.Length + 1)..] : null;
}
