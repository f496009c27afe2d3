using System.Buffers.Binary;
using System.Net.Sockets;

namespace Nightjar.Bench.Peer;

/// <summary>
/// Gathers what goes to the other side, so that one send takes it all. No answer is longer than the packet that it answers, so a buffer as large as the one
/// read into never overflows if it is flushed after each read.
/// </summary>
public sealed class AnswerBuffer(int size)
{
    private readonly byte[] _bytes = new byte[size];
    private int _length;

    /// <summary>Adds an acknowledgement.</summary>
    public void Add(byte header, ushort id)
    {
        var destination = Take(Wire.AcknowledgementLength);
        destination[0] = header;
        destination[1] = 2;
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], id);
    }

    /// <summary>Sends all that was added; nothing if nothing was.</summary>
    public void Flush(Socket socket)
    {
        if (_length > 0)
        {
            SendAll(socket, _bytes.AsSpan(0, _length));
            _length = 0;
        }
    }

    /// <summary>Sends every byte; the socket is a blocking one.</summary>
    public static void SendAll(Socket socket, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[socket.Send(bytes)..];
        }
    }

    internal int Room => _bytes.Length - _length;

    internal Span<byte> Take(int length)
    {
        _length += length;
        return _bytes.AsSpan(_length - length, length);
    }

    internal void AddConnAck(bool version5) => Append(version5 ? [0x20, 3, 0, 0, 0] : [0x20, 2, 0, 0]);

    internal void AddPingResp() => Append([0xD0, 0]);

    internal void AddSubAck(ushort id, byte qos, bool version5) =>
        Append(version5 ? [0x90, 4, (byte)(id >> 8), (byte)id, 0, qos] : [0x90, 3, (byte)(id >> 8), (byte)id, qos]);

    internal void AddUnsubAck(ushort id, bool version5) =>
        Append(version5 ? [0xB0, 4, (byte)(id >> 8), (byte)id, 0, 0] : [0xB0, 2, (byte)(id >> 8), (byte)id]);

    private void Append(ReadOnlySpan<byte> packet) => packet.CopyTo(Take(packet.Length));
}
