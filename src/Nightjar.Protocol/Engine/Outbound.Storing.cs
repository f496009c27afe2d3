namespace Nightjar.Protocol.Engine;

// What the store has to do with it.
internal sealed partial class Outbound
{
    /// <summary>How far the lane must be written for all that is in it now, or beside it, to have left.</summary>
    private long FlushPosition => _data.HasAside ? FlushBarriers.Aside : _data.Position;

    /// <summary>
    /// Records cannot be written at the moment, or can again. What depends on one waits; QoS 0, pings and a connection do not: messages of QoS 1 and 2 stay in their queue, and what stands
    /// in the lanes already steps aside.
    /// </summary>
    public void HandleStore(bool isFailing)
    {
        StoreIsFailing = isFailing;
        if (!isFailing)
        {
            WriteDownWhatCame();
            _control.PutBack(_committed);
            _data.PutBack(_committed);
            _steps.PutBack(_data.Position);
            _flushes.PutBack(_data.Position);
            Pump();
            return;
        }

        if (_connectRecord > _committed)
        {
            _connectRecord = 0;
            _control.Waive();
        }

        _control.SetAside(_committed);

        // QoS 0 passes unless it may have an alias: what that stands for depends on the order.
        var kept = _data.SetAside(_committed, unreliablePasses: _limits.TopicAliasMaximum == 0);
        _steps.SetAside(kept);
        _flushes.SetAside(kept);
    }

    /// <summary>A message gets its record, if there is a journal; <paramref name="replaced"/> is the one whose place it takes.</summary>
    private void WriteDown(int handle, long now, int replaced = -1)
    {
        if (Session.Journal is { } journal)
        {
            journal.Accepted(handle, now, replaced);
            FollowStoring(handle);
        }
    }

    /// <summary>
    /// Records can be written again. Messages that came meanwhile have none yet: while nothing is committed none of them could leave, and records of those that made room for others, were
    /// taken back or expired would have piled up without end.
    /// </summary>
    private void WriteDownWhatCame()
    {
        for (var handle = _reliable.First; handle >= 0; handle = _messages[handle].Next)
        {
            if (_messages[handle].Record == 0)
            {
                WriteDown(handle, _now);
            }
        }
    }
}
