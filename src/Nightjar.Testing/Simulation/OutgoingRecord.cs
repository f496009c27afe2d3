using Nightjar.Protocol.Engine;

namespace Nightjar.Testing.Simulation;

/// <summary>What happened to one message of the client. It is its own waiter.</summary>
internal sealed partial class OutgoingRecord(int number, string topic, QoS qos, bool retain)
{
    public int Number => number;

    public string Topic => topic;

    public QoS QoS => qos;

    public bool Retain => retain;

    public MessageTicket Ticket { get; set; }

    public OutboundPhase Phase { get; set; }

    /// <summary>Nothing more happens to it that a fault could disturb.</summary>
    public bool IsOver { get; set; }

    /// <summary>Somebody waits for its end; not if it was QoS 0 and in the lane at once.</summary>
    public bool HasWaiter { get; set; }

    public int Ends { get; set; }

    /// <summary>Its waiter left.</summary>
    public bool Detached { get; set; }

    /// <summary>Its waiter left and took it along.</summary>
    public bool Withdrawn { get; set; }

    /// <summary>How often the broker took it as a message.</summary>
    public int Accepted { get; set; }

    /// <summary>The broker's session in which it did last.</summary>
    public int AcceptedIn { get; set; }

    /// <summary>The connection that it was written on last.</summary>
    public int WrittenOn { get; set; }

    /// <summary>How many connections it was written on.</summary>
    public int Written { get; set; }

    public PublishFlags Flags { get; set; }

    public override string ToString() => $"message {number} to {topic} at QoS {(int)qos}";
}

/// <summary>What happened to one message for the client.</summary>
internal sealed class IncomingRecord(int number, string topic, QoS qos, bool retain)
{
    public int Number => number;

    public string Topic => topic;

    /// <summary>As granted.</summary>
    public QoS QoS => qos;

    public bool Retain => retain;

    public InboundPhase Phase { get; set; }

    public bool IsOver { get; set; }

    /// <summary>How often it was handed to the handler's queue.</summary>
    public int Deliveries { get; set; }

    /// <summary>How often its handler was called.</summary>
    public int Calls { get; set; }

    /// <summary>How often it ended well.</summary>
    public int Handled { get; set; }

    /// <summary>It came when nobody subscribed to it any more.</summary>
    public bool Unwanted { get; set; }

    /// <summary>How often it ended with a refusal.</summary>
    public int Refused { get; set; }

    /// <summary>How often it was left unacknowledged.</summary>
    public int Abandoned { get; set; }

    /// <summary>The connection that it was left unacknowledged on.</summary>
    public int AbandonedOn { get; set; }

    /// <summary>Handlers of it that have not ended.</summary>
    public int Running { get; set; }

    /// <summary>How often a handler had done its work when its process ended, and nobody was told.</summary>
    public int Effects { get; set; }

    /// <summary>The process in which it ended well last.</summary>
    public int HandledIn { get; set; }

    /// <summary>What it was called when handlers saw it.</summary>
    public HashSet<long> DeliveryIds { get; } = [];

    /// <summary>The record that says that it is handled (QoS 2); 0: there is none, or it was lost in a crash.</summary>
    public long ReceivedAt { get; set; }

    /// <summary>The record that holds it for a subscription that stores messages; 0: there is none, or it was lost in a crash.</summary>
    public long StoredAt { get; set; }

    /// <summary>It lies in the store and its handler is not done, whatever the server knows of it.</summary>
    public bool IsKept { get; set; }

    /// <summary>The broker has nothing more to do with it.</summary>
    public void Acknowledged()
    {
        IsOver = !IsKept;
        Phase = IsKept ? InboundPhase.Stored : Phase;
    }

    /// <summary>The broker lost it with its sessions.</summary>
    public bool Forgotten { get; set; }

    public override string ToString() => $"message {number} from {topic} at QoS {(int)qos}{(retain ? ", retained" : "")}";
}
