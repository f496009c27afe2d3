using System.Text;

namespace Nightjar.Protocol.Journal;

// Whose session it is, where it is, and which numbers the server knows for filters.
internal sealed partial class SessionJournal
{
    private readonly Dictionary<(uint Identifier, string Filter), int> _identifiers = [];
    private readonly List<IdentifierPlace> _identifierPlaces = [];
    private readonly Stack<int> _freeIdentifierPlaces = new();
    private SessionIdentity _identity = new();
    private int _identityLive = -1;
    private uint _highestIdentifier;
    private bool _unanswered;
    private bool _uncertain;

    /// <summary>CONNECT is about to leave, and depends on that: until it is answered, the server may have a new session without our knowing.</summary>
    public long Connecting(SessionIdentity identity)
    {
        Note(identity);
        _uncertain |= _unanswered;
        _unanswered = true;
        return Append(JournalRecord.Connecting, [1]);
    }

    /// <summary>The server accepted, and has the session.</summary>
    /// <param name="identity">Whose, and where.</param>
    /// <param name="isCertain">Whether it is the one that we know. If not, messages that the server had may be sent to another one.</param>
    public void Connected(SessionIdentity identity, bool isCertain)
    {
        Note(identity);
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write(isCertain ? (byte)1 : (byte)0);
        Append(JournalRecord.Connected, writer.ToHead());
        _unanswered = _uncertain = false;
    }

    /// <summary>The server refused, which changes no session.</summary>
    public void Refused()
    {
        _unanswered = false;
        Append(JournalRecord.Refused, [1]);
    }

    /// <summary>Whose session it is, if that is new.</summary>
    public void Note(SessionIdentity identity)
    {
        if (_identityLive >= 0 && _identity.Equals(identity))
        {
            return;
        }

        _identity = identity;
        if (_identityLive >= 0)
        {
            _live.Remove(_identityLive);
        }

        Last = AppendIdentity();
        _identityLive = _live.Add(LiveKind.Identity, key: 0, Last, _size);
    }

    /// <summary>A filter has a subscription identifier: its SUBSCRIBE depends on that.</summary>
    public long Identified(uint identifier, string filter)
    {
        Last = AppendIdentified(identifier, filter);
        _highestIdentifier = Math.Max(_highestIdentifier, identifier);
        AddIdentifier(identifier, filter, Last, _size);
        return Last;
    }

    /// <summary>The server has no such subscription any more.</summary>
    public void Unidentified(uint identifier, string filter)
    {
        if (_identifiers.Remove((identifier, filter), out var place))
        {
            _live.Remove(_identifierPlaces[place].Live);
            _freeIdentifierPlaces.Push(place);
            var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
            writer.Write((int)identifier);
            Append(JournalRecord.Unidentified, writer.ToHead(), Encoding.UTF8.GetBytes(filter));
        }
    }

    private void AddIdentifier(uint identifier, string filter, long sequence, int size)
    {
        if (_identifiers.TryGetValue((identifier, filter), out var place))
        {
            _live.Renew(_identifierPlaces[place].Live, sequence, size);
            return;
        }

        if (!_freeIdentifierPlaces.TryPop(out place))
        {
            place = _identifierPlaces.Count;
            _identifierPlaces.Add(default);
        }

        _identifiers[(identifier, filter)] = place;
        _identifierPlaces[place] = new IdentifierPlace(identifier, filter, _live.Add(LiveKind.Identifier, place, sequence, size));
    }

    private void ForgetIdentifiers()
    {
        foreach (var place in _identifiers.Values)
        {
            _live.Remove(_identifierPlaces[place].Live);
            _freeIdentifierPlaces.Push(place);
        }

        _identifiers.Clear();
    }

    private long AppendIdentified(uint identifier, string filter)
    {
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write((int)identifier);
        return Append(JournalRecord.Identified, writer.ToHead(), Encoding.UTF8.GetBytes(filter));
    }

    private long AppendIdentity()
    {
        var writer = new RecordWriter(stackalloc byte[RecordWriter.Largest]);
        writer.Write((byte)((_uncertain ? 1 : 0) | (_unanswered ? 2 : 0)));
        writer.Write((int)_highestIdentifier);
        return Append(JournalRecord.Identity, writer.ToHead(), _identity.ToBytes());
    }

    private readonly record struct IdentifierPlace(uint Identifier, string Filter, int Live);
}
