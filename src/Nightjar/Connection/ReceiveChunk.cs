using System.Buffers;

namespace Nightjar.Connection;

/// <summary>
/// A pooled stretch of received bytes. The receive loop owns one share, each message that still lies in it another; the last to leave returns it.
/// </summary>
internal sealed class ReceiveChunk
{
    private readonly ReceiveBudget _budget;
    private byte[] _bytes = [];
    private int _shares;

    public ReceiveChunk(ReceiveBudget budget) => _budget = budget;

    public byte[] Bytes => _bytes;

    /// <summary>Whether the loop is the only one left, so that it may write over what was read.</summary>
    public bool IsUnshared => Volatile.Read(ref _shares) == 1;

    public void Open(int size)
    {
        _bytes = ArrayPool<byte>.Shared.Rent(size);
        _shares = 1;
    }

    public void Share(int count) => Interlocked.Add(ref _shares, count);

    /// <summary>The loop's share; from now on the chunk counts against the budget for as long as messages lie in it.</summary>
    public void LetGo()
    {
        _budget.Hold(_bytes.Length);
        Release();
    }

    public void Release(int count = 1)
    {
        if (Interlocked.Add(ref _shares, -count) == 0)
        {
            var bytes = _bytes;
            _bytes = [];
            ArrayPool<byte>.Shared.Return(bytes);
            _budget.Return(this, bytes.Length);
        }
    }
}
