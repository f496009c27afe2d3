namespace Nightjar.Testing.Simulation;

/// <summary>The orders in which a client must answer on one connection.</summary>
internal sealed class AnswerOrder
{
    private readonly Dictionary<ushort, IncomingRecord> _records = [];
    private readonly List<ushort> _unanswered = [];
    private readonly List<ushort> _received = [];

    /// <summary>The message that the identifier stands for on this connection.</summary>
    public IncomingRecord? Record(ushort id) => _records.GetValueOrDefault(id);

    /// <summary>A PUBLISH went to the client.</summary>
    public void Sent(ushort id, IncomingRecord record)
    {
        _records[id] = record;
        _unanswered.Add(id);
    }

    /// <summary>
    /// PUBACK or PUBREC came. False if an earlier PUBLISH of the same QoS waits for its own, and was not left unacknowledged on purpose.
    /// </summary>
    public bool Answered(ushort id, int connection)
    {
        var inOrder = true;
        foreach (var earlier in _unanswered)
        {
            if (earlier == id)
            {
                break;
            }

            inOrder &= _records[earlier].QoS != _records[id].QoS || _records[earlier].AbandonedOn == connection;
        }

        return _unanswered.Remove(id) && inOrder;
    }

    /// <summary>PUBREC went to the client.</summary>
    public void Received(ushort id) => _received.Add(id);

    /// <summary>PUBREL came. False if an earlier PUBREC waits for its own.</summary>
    public bool Released(ushort id)
    {
        var index = _received.IndexOf(id);
        if (index >= 0)
        {
            _received.RemoveAt(index);
        }

        return index <= 0;
    }
}
