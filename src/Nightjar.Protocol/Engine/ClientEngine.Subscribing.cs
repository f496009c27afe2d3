using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Engine;

// Subscriptions.
internal sealed partial class ClientEngine
{
    /// <summary>Command: subscribe.</summary>
    public void Subscribe(LocalSubscription subscription, long now)
    {
        subscription.Number = ++_subscribed;
        Routes.Add(subscription);
        Subscriptions.Add(subscription);
        if (subscription.StoresMessages && _lifecycle.Supervisor.HasAttempted && _replays is { IsEmpty: false })
        {
            _replays.Rewind();
            Outputs.Enqueue(new EngineOutput.Replay());
        }

        _lifecycle.PumpSubscriptions();
        _lifecycle.ConnectForSubscription(now);
    }

    /// <summary>Command: what no subscription matches goes to this one.</summary>
    public void CatchUnrouted(LocalSubscription subscription) => Routes.AddCatchAll(subscription);

    /// <summary>Command: end one subscription; with the last of its filter goes an UNSUBSCRIBE.</summary>
    public void Unsubscribe(LocalSubscription subscription, object? waiter)
    {
        Routes.Remove(subscription);
        Routes.RemoveCatchAll(subscription);
        Subscriptions.Remove(subscription, waiter);
        _lifecycle.PumpSubscriptions();
    }

    /// <summary>Command: end these filters, known or not. Returns the subscriptions that end with them.</summary>
    public IReadOnlyList<LocalSubscription> Unsubscribe(IReadOnlyList<TopicFilter> filters, object? waiter, long now)
    {
        var ended = new List<LocalSubscription>();
        foreach (var filter in filters)
        {
            foreach (var subscription in Subscriptions.GiveUp(filter.Text, waiter))
            {
                Routes.Remove(subscription, filter);
                if (subscription.Alive == 0)
                {
                    ended.Add(subscription);
                }
            }
        }

        _lifecycle.PumpSubscriptions();
        _lifecycle.ConnectOnFirstUse(now);
        return ended;
    }

    /// <summary>Command: ask for a subscription's filters again, for the sake of retained messages.</summary>
    public void Resubscribe(LocalSubscription subscription, object waiter, long now)
    {
        Subscriptions.AskAgain(subscription, waiter);
        _lifecycle.PumpSubscriptions();
        _lifecycle.ConnectOnFirstUse(now);
    }
}
