using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Topics;

namespace Nightjar.Protocol.Engine;

/// <summary>How far a filter has come with the server.</summary>
internal enum WirePhase : byte
{
    /// <summary>To be asked for.</summary>
    Missing,

    /// <summary>SUBSCRIBE is on its way.</summary>
    Asked,

    /// <summary>SUBACK came, in this session.</summary>
    Granted,
}

/// <summary>One filter on the wire, and all subscriptions of the application that it serves.</summary>
internal sealed class WireSubscription(TopicFilter filter)
{
    private SubscriptionTerms? _needed;

    public TopicFilter Filter => filter;

    /// <summary>Whom it serves.</summary>
    public List<LocalSubscription> Locals { get; } = [];

    /// <summary>Those of them that no SUBSCRIBE of this connection was for.</summary>
    public List<LocalSubscription> Unasked { get; } = [];

    /// <summary>Those whose SUBSCRIBE has no answer.</summary>
    public List<LocalSubscription> Unanswered { get; } = [];

    /// <summary>Those that want retained messages once more, whatever they heard before.</summary>
    public List<LocalSubscription> Again { get; } = [];

    /// <summary>Who waits for the answer to the next SUBSCRIBE.</summary>
    public List<object> Waiters { get; } = [];

    /// <summary>What serves all of them.</summary>
    public SubscriptionTerms Needed => _needed ??= Locals.Select(local => local.Terms).Aggregate((all, terms) => all.And(terms));

    /// <summary>What the last SUBSCRIBE asked for.</summary>
    public SubscriptionTerms? Asked { get; set; }

    public WirePhase Phase { get; set; }

    /// <summary>The identifier of the SUBSCRIBE that asked last.</summary>
    public ushort AskedWith { get; set; }

    /// <summary>What the server granted last in this session; null if it did not.</summary>
    public ReasonCode? Granted { get; set; }

    /// <summary>The subscription identifier that the server was told last; null if none.</summary>
    public uint? Identifier { get; set; }

    /// <summary>Whether some topic matches another filter of this client too.</summary>
    public bool Overlaps { get; set; }

    /// <summary>Whether the server may send what matches without an identifier, or with one that we do not know.</summary>
    public bool MayComeUnmarked { get; set; }

    /// <summary>Whether it waits in the list of what is to be asked for.</summary>
    public bool IsListed { get; set; }

    /// <summary>Whether the application wants it no more.</summary>
    public bool IsGone { get; private set; }

    /// <summary>Those who are to get the retained messages that the next SUBSCRIBE brings.</summary>
    public IEnumerable<LocalSubscription> RetainedFor => filter.IsShared ? [] : Unasked.Where(WantsRetained).Concat(Again);

    /// <summary>One more to serve. False: the server need not be asked for it.</summary>
    public bool Join(LocalSubscription local)
    {
        _needed = _needed is null && Locals.Count > 0 ? Needed.And(local.Terms) : _needed?.And(local.Terms);
        Locals.Add(local);
        local.Alive++;

        // What the first SUBSCRIBE brought is gone. A shared subscription never brings any (4.8.2).
        if (Phase == WirePhase.Missing || !Asked!.Serve(Needed) || (WantsRetained(local) && !filter.IsShared))
        {
            Unasked.Add(local);
            return true;
        }

        if (Phase == WirePhase.Asked)
        {
            Unanswered.Add(local);
        }

        return false;
    }

    /// <summary>One less. False: it was none of them.</summary>
    public bool Leave(LocalSubscription local)
    {
        if (!Locals.Remove(local))
        {
            return false;
        }

        local.Alive--;
        _needed = null;
        Unasked.Remove(local);
        Unanswered.Remove(local);
        Again.Remove(local);
        IsGone = Locals.Count == 0;
        return true;
    }

    /// <summary>All of them at once.</summary>
    public void Abandon()
    {
        foreach (var local in Locals)
        {
            local.Alive--;
        }

        IsGone = true;
    }

    /// <summary>What the next SUBSCRIBE says of it.</summary>
    public RequestedSubscription Request() => new(filter.Text, Needed.QoS)
    {
        NoLocal = Needed.NoLocal,
        RetainAsPublished = Needed.RetainAsPublished,

        // Nobody is to hear again what he heard, or is about to hear, of the filter when it was new; unless he asks for it, or has just come.
        RetainHandling = Granted is null && Unanswered.Count == 0 ? Needed.RetainHandling : RetainedFor.Any() ? RetainHandling.SendAtSubscribe : RetainHandling.DoNotSend,
    };

    /// <summary>SUBSCRIBE leaves.</summary>
    public void HandleAsked(ushort packetId)
    {
        IsListed = false;
        Phase = WirePhase.Asked;
        AskedWith = packetId;
        Asked = Needed;
        Unanswered.AddRange(Unasked);
        Unasked.Clear();
    }

    /// <summary>The connection went before the answer came.</summary>
    public void HandleUnanswered()
    {
        Unasked.InsertRange(0, Unanswered);
        Unanswered.Clear();
        Phase = WirePhase.Missing;
        if (Granted is null)
        {
            // What is asked now brings retained messages for all of them; the number that it had may be for those of a newcomer.
            Identifier = null;
        }
    }

    /// <summary>The server does not have it, or may not: everything is to be asked for.</summary>
    public void StartOver()
    {
        Phase = WirePhase.Missing;
        Granted = null;
        Unanswered.Clear();
        Again.Clear();
        Unasked.Clear();
        Unasked.AddRange(Locals);
    }

    private static bool WantsRetained(LocalSubscription local) => local.Terms.RetainHandling == RetainHandling.SendAtSubscribe;
}
