namespace Nightjar.Testing.Broker;

/// <summary>The members of one shared subscription (MQTT 5, 4.8.2); each message goes to one of them, in turn.</summary>
internal sealed class SharedGroup
{
    private readonly List<BrokerSubscription> _members = [];
    private int _next;

    public bool IsEmpty => _members.Count == 0;

    public void Add(BrokerSubscription member) => _members.Add(member);

    public void Remove(BrokerSubscription member) => _members.Remove(member);

    /// <summary>Whose turn it is: a connected member if there is one, so that a message does not wait for one that is away.</summary>
    public BrokerSubscription Next()
    {
        var away = _members[_next % _members.Count];
        for (var i = 0; i < _members.Count; i++)
        {
            var turn = (_next + i) % _members.Count;
            if (_members[turn].Session.Connection is not null)
            {
                _next = turn + 1;
                return _members[turn];
            }
        }

        _next = (_next % _members.Count) + 1;
        return away;
    }
}
