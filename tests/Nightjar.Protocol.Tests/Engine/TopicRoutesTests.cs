using System.Text;
using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Nightjar.Protocol.Topics;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

public sealed class TopicRoutesTests
{
    private readonly TopicRoutes _routes = new(new WireTable(), new SubscriptionIdentifiers(() => 0));

    [Fact]
    public void A_route_is_found_again_and_shared()
    {
        var subscription = Add("home/+");

        var route = _routes.Find("home/door"u8);

        Assert.Equal([subscription], route.Subscriptions);
        Assert.Equal("home/door", route.Name);
        Assert.Same(route, _routes.Find("home/door"u8));
    }

    [Fact]
    public void A_change_of_subscriptions_shows_at_once()
    {
        var first = Add("home/+");
        _ = _routes.Find("home/door"u8);

        var second = Add("home/door");
        Assert.Equal(2, _routes.Find("home/door"u8).Subscriptions.Length);

        Assert.True(_routes.Remove(first));
        Assert.Equal([second], _routes.Find("home/door"u8).Subscriptions);
        Assert.False(_routes.Remove(first));
    }

    [Fact]
    public void More_topics_than_places_are_all_routed()
    {
        var subscription = Add("a/#");

        for (var round = 0; round < 3; round++)
        {
            for (var i = 0; i < 10_000; i++)
            {
                var route = _routes.Find(Encoding.UTF8.GetBytes($"a/{i}"));
                Assert.Equal($"a/{i}", route.Name);
                Assert.Equal([subscription], route.Subscriptions);
            }
        }
    }

    private ModelSubscription Add(string filter)
    {
        var subscription = new ModelSubscription(TopicFilter.Parse(filter), QoS.AtLeastOnce);
        _routes.Add(subscription);
        return subscription;
    }
}
