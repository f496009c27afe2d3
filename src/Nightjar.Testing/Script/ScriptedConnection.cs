using Nightjar.Protocol.Codec;

namespace Nightjar.Testing;

/// <summary>One connection of a <see cref="ScriptedPeer"/>: its stream and what was read and not yet expected.</summary>
internal sealed class ScriptedConnection(Stream stream, PacketSender receivesFrom, MqttVersion version) : IAsyncDisposable
{
    private byte[] _buffer = new byte[4096];
    private int _count;

    public Stream Stream { get; } = stream;

    public PacketDecoder Decoder { get; } = new(receivesFrom, version);

    public ReadOnlyMemory<byte> Unread => _buffer.AsMemory(0, _count);

    /// <summary>Reads more; false at the end of the stream or if it was reset.</summary>
    public async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_count == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        try
        {
            var count = await Stream.ReadAsync(_buffer.AsMemory(_count), cancellationToken).ConfigureAwait(false);
            _count += count;
            return count > 0;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>The packet at the start of what was read, or null if it is not complete.</summary>
    /// <exception cref="ScriptException">It is against the rules.</exception>
    public ReceivedPacket? TakePacket()
    {
        var unread = _buffer.AsSpan(0, _count);
        var status = Decoder.Decode(unread, bufferFull: false, out var packet, out var consumed);
        switch (status)
        {
            case DecodeStatus.NeedMore:
                return null;
            case DecodeStatus.Packet:
                var received = new ReceivedPacket(packet, unread[..consumed]);
                Take(consumed);
                return received;
            default:
                throw new ScriptException($"The other end broke a rule: {Decoder.Violation}. Bytes: {Bytes.ToHex(unread)}.");
        }
    }

    public void Take(int count)
    {
        _buffer.AsSpan(count, _count - count).CopyTo(_buffer);
        _count -= count;
    }

    public ValueTask DisposeAsync() => Stream.DisposeAsync();
}
