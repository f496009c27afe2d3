using Nightjar.Protocol.Journal;

namespace Nightjar.Protocol.Engine;

// What an earlier process left.
internal sealed partial class Outbound
{
    /// <summary>Takes over what an earlier process left, before what this one has accepted already.</summary>
    public void Restore(RestoredSession session, SessionJournal journal, long now)
    {
        Session.Journal = journal;
        _committed = Math.Max(_committed, session.Last);
        for (var handle = _reliable.First; handle >= 0; handle = _messages[handle].Next)
        {
            journal.Accepted(handle, now);
        }
    }
}
