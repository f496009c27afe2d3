using System.Buffers;
using System.Text;
using Nightjar.Protocol.Codec;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;

namespace Nightjar.Protocol.Tests.Engine.Simulated;

/// <summary>
/// The door of the outbox, as the host uses it: each message asks to be admitted, waits for room if it must, and comes in when there is some. Its waiter is its payload.
/// </summary>
internal sealed class OutboxScene
{
    public const long Second = TimeSpan.TicksPerSecond;

    private readonly List<string> _line = [];

    public OutboxScene(OutboxSettings outbox, MqttVersion version = MqttVersion.Mqtt5)
    {
        Server = new ScriptedServer(ScriptedServer.Settings(version) with { Outbox = outbox });
    }

    public ScriptedServer Server { get; }

    public ClientEngine Engine => Server.Engine;

    public Outbound Outbound => Server.Engine.Outbound;

    public EngineDriver Driver => Server.Driver;

    public List<DroppedMessage> Drops { get; } = [];

    public List<(object Waiter, DeliveryStep Step)> Steps { get; } = [];

    public Dictionary<string, int> Handles { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, RoomRequest> Requests { get; } = new(StringComparer.Ordinal);

    /// <summary>How waits ended, as lines.</summary>
    public List<string> Ends => [.. Driver.Ended.Select(e => $"{e.Waiter} {e.End}{(e.End == PublishEnd.Dropped ? $" {e.Drop}" : "")}")];

    public OutboxAdmission Offer(
        string topic, string payload, QoS qos = QoS.AtLeastOnce, WhenOffline whenOffline = WhenOffline.Queue, long timeToLive = 0, string id = "", bool receipt = false)
    {
        var message = new OutgoingPublish
        {
            Topic = Encoding.UTF8.GetBytes(topic),
            Payload = Encoding.UTF8.GetBytes(payload),
            Properties = Expiry(timeToLive),
            QoS = qos,
            TimeToLive = timeToLive,
            Id = Encoding.UTF8.GetBytes(id),
            HasReceipt = receipt,
        };
        var admission = Engine.Admit(message, whenOffline, Driver.Now);
        if (admission == OutboxAdmission.Admitted)
        {
            Handles[payload] = Engine.Accept(message, payload, Driver.Now).Handle;
        }
        else if (admission == OutboxAdmission.MustWait)
        {
            _line.Add($"{topic} {payload} {(int)qos}");
            Requests[payload] = Outbound.WaitForRoom(_line[^1], message, Driver.Now);
        }

        Collect();
        return admission;
    }

    public void Collect()
    {
        while (Outbound.TryGrant(out var waiter))
        {
            var words = ((string)waiter!).Split(' ');
            Handles[words[1]] = Engine.Accept(
                new OutgoingPublish { Topic = Encoding.UTF8.GetBytes(words[0]), Payload = Encoding.UTF8.GetBytes(words[1]), QoS = (QoS)int.Parse(words[2]) }, words[1], Driver.Now).Handle;
        }

        Drops.AddRange(Outbound.Drops);
        Outbound.Drops.Clear();
        Steps.AddRange(Outbound.Steps);
        Outbound.Steps.Clear();
        Driver.Collect();
    }

    /// <summary>The payloads of the PUBLISHes that were sent since the last call, in order; every one is answered until nothing comes any more.</summary>
    public List<string> DrainAll()
    {
        var payloads = new List<string>();
        for (var lines = Server.Sent(); lines.Count > 0; lines = Server.Sent())
        {
            foreach (var words in lines.Select(line => line.Split(' ')).Where(words => words[0] == "PUBLISH"))
            {
                payloads.Add(words[^1]);
                if (words.Contains("q1"))
                {
                    Server.Answer(PacketType.PubAck, ushort.Parse(words[1]));
                }
            }

            Collect();
        }

        return payloads;
    }

    public void AdvanceTo(long now)
    {
        Driver.AdvanceTo(now);
        Collect();
    }

    public static byte[] Expiry(long timeToLive)
    {
        if (timeToLive == 0)
        {
            return [];
        }

        var properties = new ArrayBufferWriter<byte>();
        new PropertyWriter(properties).Write(PropertyId.MessageExpiryInterval, (uint)((timeToLive + Second - 1) / Second));
        return properties.WrittenSpan.ToArray();
    }
}
