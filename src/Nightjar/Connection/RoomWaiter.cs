using Nightjar.Protocol.Engine;

namespace Nightjar.Connection;

/// <summary>
/// A message that waits for room in the outbox: it holds what the caller's spans held, until it may come in. Guarded with the engine.
/// </summary>
internal sealed class RoomWaiter(in OutgoingPublish message)
{
    private readonly PublishCopy _copy = new(message);

    /// <summary>Its place in the line.</summary>
    public RoomRequest? Request { get; set; }

    /// <summary>Who publishes; null: who enqueues, or takes the room alone.</summary>
    public PublishWaiter? Publisher { get; init; }

    /// <summary>Who enqueues.</summary>
    public TaskCompletionSource<DeliveryReceipt>? Enqueuer { get; init; }

    /// <summary>Who takes room for bytes that are still to come.</summary>
    public TaskCompletionSource? Reserver { get; init; }

    /// <summary>The application's own identifier, as it gave it.</summary>
    public string? Id { get; init; }

    /// <summary>There is room; under the gate.</summary>
    public void Grant(EngineHost host, ClientEngine engine, long now)
    {
        var copy = _copy.Message;
        if (Publisher is { } publisher)
        {
            publisher.Room = null;
            publisher.Ticket = engine.Accept(copy, publisher, now);
        }
        else if (Enqueuer is { } enqueuer)
        {
            // Another of the same identifier may have come in meanwhile.
            enqueuer.TrySetResult(host.FindOrAccept(copy, Id, now));
        }
        else
        {
            engine.Outbound.Reserve(copy.Length);
            Reserver!.TrySetResult();
        }
    }

    /// <summary>There will be none; not under the gate.</summary>
    public void Fail(Exception error)
    {
        if (Publisher is { } publisher)
        {
            publisher.Room = null;
            publisher.SetException(error);
        }
        else if (Enqueuer is { } enqueuer)
        {
            enqueuer.TrySetException(error);
        }
        else
        {
            Reserver!.TrySetException(error);
        }
    }
}
