using System.Text;
using Nightjar.Protocol.Journal;

namespace Nightjar;

/// <summary>A message in a session's store.</summary>
public sealed record StoredSessionMessage
{
    /// <summary>Its number in the store; of a received one, its <see cref="MqttMessage.DeliveryId"/>.</summary>
    public required long Number { get; init; }

    /// <summary>How far it is.</summary>
    public required StoredMessageState State { get; init; }

    /// <summary>Its topic; empty if its content is lost.</summary>
    public required string Topic { get; init; }

    /// <summary>Its payload.</summary>
    public ReadOnlyMemory<byte> Payload { get; init; }

    /// <summary>Its QoS.</summary>
    public required QoS QoS { get; init; }

    /// <summary>Whether the server keeps it for later subscribers; of a received one, whether it had been kept.</summary>
    public bool Retain { get; init; }

    /// <summary>The packet identifier; 0 if it has none, and for a received one.</summary>
    public ushort PacketId { get; init; }

    /// <summary>The application's own identifier; null if it gave none.</summary>
    public string? Id { get; init; }

    /// <summary>When it was stored; null if that is not known. A moment of a clock that was not set is as wrong as the clock was.</summary>
    public DateTime? StoredAt { get; init; }

    /// <summary>When it expires; null if it does not.</summary>
    public DateTime? ExpiresAt { get; init; }

    internal static StoredSessionMessage From(RestoredMessage message, Protocol.Engine.MessageStore contents)
    {
        if (message.IsLost)
        {
            return new StoredSessionMessage { Number = message.Record, State = StoredMessageState.ContentLost, Topic = "", QoS = message.QoS, PacketId = message.PacketId };
        }

        ref var content = ref contents[message.Handle];
        return new StoredSessionMessage
        {
            Number = message.Record,
            State = message.Phase switch
            {
                MessagePhase.Queued => StoredMessageState.Queued,
                MessagePhase.Assigned => StoredMessageState.Sent,
                _ => StoredMessageState.Released,
            },
            Topic = Encoding.UTF8.GetString(content.Topic),
            Payload = content.Payload.ToArray(),
            QoS = message.QoS,
            Retain = content.Retain,
            PacketId = message.PacketId,
            Id = content.Id.IsEmpty ? null : Encoding.UTF8.GetString(content.Id),
            StoredAt = message.At,
            ExpiresAt = message.TimeToLive > 0 ? message.At?.AddTicks(message.TimeToLive) : null,
        };
    }

    internal static StoredSessionMessage From(RestoredDelivery delivery, Protocol.Engine.MessageStore contents)
    {
        ref var content = ref contents[delivery.Handle];
        return new StoredSessionMessage
        {
            Number = delivery.DeliveryId,
            State = StoredMessageState.Unhandled,
            Topic = Encoding.UTF8.GetString(content.Topic),
            Payload = content.Payload.ToArray(),
            QoS = content.QoS,
            Retain = content.Retain,
        };
    }
}
