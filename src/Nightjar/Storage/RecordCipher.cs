using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Nightjar.Storage;

/// <summary>
/// Encrypts payloads with AES-256-GCM, under a key of this store and this opening of it alone. The nonce is the sequence number, which is given once; so it never repeats under this key. Not thread-safe.
/// </summary>
/// <remarks>Behind the encrypted payload: the id of the key (4), the epoch (12), the authentication tag (16).</remarks>
internal sealed class RecordCipher : IDisposable
{
    public const int EpochSize = 12;
    public const int TrailerSize = sizeof(int) + EpochSize + TagSize;

    private const int TagSize = 16;
    private const int NonceSize = 12;
    private const int TagAt = TrailerSize - TagSize;

    // What is not encrypted and must not be changed: which store, where in the file, and the header of the record from its length on.
    private const int PlaceAt = LogHeader.IdentitySize;
    private const int HeaderAt = PlaceAt + sizeof(long);
    private const int AssociatedSize = HeaderAt + RecordFrame.HeaderSize - RecordFrame.CoveredFrom;

    private readonly AesGcm _aes;
    private readonly byte[] _trailer = new byte[TagAt];
    private readonly byte[] _associated = new byte[AssociatedSize];
    private readonly byte[] _nonce = new byte[NonceSize];

    public RecordCipher(Guid storeId, int keyId, ReadOnlySpan<byte> epoch, ReadOnlySpan<byte> key)
    {
        _aes = new AesGcm(key, TagSize);
        BinaryPrimitives.WriteInt32LittleEndian(_trailer, keyId);
        epoch.CopyTo(_trailer.AsSpan(sizeof(int)));
        storeId.TryWriteBytes(_associated, bigEndian: true, out _);
    }

    /// <summary>Which key, and which opening of the log.</summary>
    public static (int KeyId, int EpochAt) Trailer(ReadOnlySpan<byte> payload) =>
        (BinaryPrimitives.ReadInt32LittleEndian(payload[^TrailerSize..]), payload.Length - TrailerSize + sizeof(int));

    /// <summary>Encrypts in place. The header of the record is written, and the last bytes of the payload are room for the trailer.</summary>
    public void Seal(ReadOnlySpan<byte> header, Span<byte> payload, long offset)
    {
        var text = payload[..^TrailerSize];
        var trailer = payload[^TrailerSize..];
        _trailer.CopyTo(trailer);
        Prepare(header, offset);
        _aes.Encrypt(_nonce, text, text, trailer[TagAt..], _associated);
    }

    /// <summary>Decrypts in place; false if it was not written so by somebody with the key, and then the bytes are gone.</summary>
    public bool TryOpen(ReadOnlySpan<byte> header, Span<byte> payload, long offset)
    {
        var text = payload[..^TrailerSize];
        Prepare(header, offset);
        try
        {
            _aes.Decrypt(_nonce, text, payload[^TagSize..], text, _associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose() => _aes.Dispose();

    private void Prepare(ReadOnlySpan<byte> header, long offset)
    {
        header[RecordFrame.SequenceAt..].CopyTo(_nonce);
        BinaryPrimitives.WriteInt64LittleEndian(_associated.AsSpan(PlaceAt), offset);
        header[RecordFrame.CoveredFrom..].CopyTo(_associated.AsSpan(HeaderAt));
    }
}
