using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Nightjar.Storage;

/// <summary>
/// The keys of a log, as its owner knows them; nothing here keeps one. From each key this derives one for each opening of the log (its epoch, 12 random bytes), and 16 bytes for the header of a segment that tell
/// a wrong key. Not thread-safe.
/// </summary>
internal sealed class RecordKeys(FileSessionStoreOptions options, string? location) : IDisposable
{
    private const int KeySize = 32;

    // Whoever can write to the disk decides how many epochs there seem to be.
    private const int MostCiphers = 64;

    private const int SaltSize = LogHeader.IdentitySize + RecordCipher.EpochSize;

    private readonly Dictionary<(int KeyId, Int128 Epoch), RecordCipher> _ciphers = [];
    private readonly Dictionary<int, UInt128> _checks = [];
    private Guid _storeId;

    /// <summary>Whether new records are encrypted.</summary>
    public bool IsUsed => options.EncryptionKey is not null;

    /// <summary>Whether a record that is not encrypted counts.</summary>
    public bool AllowsPlain => !IsUsed || options.AllowUnencryptedRecords;

    /// <summary>From here on keys are those of this store.</summary>
    public void Identify(Guid storeId) => _storeId = storeId;

    /// <summary>Whether the key that a header names is the right one.</summary>
    /// <exception cref="StorageException">It is not, or there is none.</exception>
    public void Check(string name, in LogHeader header)
    {
        if (header.KeyId == 0)
        {
            return;
        }

        if (KeyCheck(header.KeyId) != header.KeyCheck)
        {
            throw new StorageException(
                StorageFailureKind.WrongKey,
                $"Could not open the session store{StorageException.At(location)}: the key with id {header.KeyId} is not the one that encrypted {name}. Give the right key; nothing has been changed.",
                location);
        }
    }

    /// <summary>The header of a segment that is encrypted with the current key from now on, if records are.</summary>
    public LogHeader Header() => IsUsed
        ? new LogHeader(LogHeader.CurrentVersion, _storeId, 0, options.EncryptionKeyId, KeyCheck(options.EncryptionKeyId))
        : new LogHeader(LogHeader.CurrentVersion, _storeId, 0);

    /// <summary>The cipher of an epoch of its own, with the current key; null if records are not encrypted. It is the caller's.</summary>
    public RecordCipher? NewCipher()
    {
        if (!IsUsed)
        {
            return null;
        }

        Span<byte> epoch = stackalloc byte[RecordCipher.EpochSize];
        RandomNumberGenerator.Fill(epoch);
        return Derive(options.EncryptionKeyId, epoch);
    }

    /// <summary>The cipher of a record that was read. It stays this object's.</summary>
    /// <exception cref="StorageException">The key is not known.</exception>
    public RecordCipher For(int keyId, ReadOnlySpan<byte> epoch)
    {
        Span<byte> wide = stackalloc byte[16];
        wide.Clear();
        epoch.CopyTo(wide);
        var name = (keyId, BinaryPrimitives.ReadInt128LittleEndian(wide));
        if (!_ciphers.TryGetValue(name, out var cipher))
        {
            if (_ciphers.Count == MostCiphers)
            {
                Dispose();
            }

            _ciphers.Add(name, cipher = Derive(keyId, epoch));
        }

        return cipher;
    }

    public void Dispose()
    {
        foreach (var cipher in _ciphers.Values)
        {
            cipher.Dispose();
        }

        _ciphers.Clear();
    }

    private RecordCipher Derive(int keyId, ReadOnlySpan<byte> epoch)
    {
        Span<byte> key = stackalloc byte[KeySize];
        Span<byte> derived = stackalloc byte[KeySize];
        Span<byte> salt = stackalloc byte[SaltSize];
        try
        {
            Ask(keyId, key);
            _storeId.TryWriteBytes(salt, bigEndian: true, out _);
            epoch.CopyTo(salt[LogHeader.IdentitySize..]);
            HKDF.DeriveKey(HashAlgorithmName.SHA256, key, derived, salt, "nightjar session records"u8);
            return new RecordCipher(_storeId, keyId, epoch, derived);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
            CryptographicOperations.ZeroMemory(derived);
        }
    }

    private UInt128 KeyCheck(int keyId)
    {
        if (_checks.TryGetValue(keyId, out var known))
        {
            return known;
        }

        Span<byte> key = stackalloc byte[KeySize];
        Span<byte> salt = stackalloc byte[LogHeader.IdentitySize];
        Span<byte> check = stackalloc byte[16];
        try
        {
            Ask(keyId, key);
            _storeId.TryWriteBytes(salt, bigEndian: true, out _);
            HKDF.DeriveKey(HashAlgorithmName.SHA256, key, check, salt, "nightjar session key check"u8);
            return _checks[keyId] = BinaryPrimitives.ReadUInt128LittleEndian(check);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(key);
        }
    }

    private void Ask(int keyId, Span<byte> key)
    {
        key.Clear();
        var at = StorageException.At(location);
        if (options.EncryptionKey is not { } provider)
        {
            throw new StorageException(
                StorageFailureKind.KeyMissing, $"Could not open the session store{at}: it is encrypted. Set {nameof(FileSessionStoreOptions.EncryptionKey)}; nothing has been changed.", location);
        }

        if (!provider(_storeId, keyId, key))
        {
            throw new StorageException(
                StorageFailureKind.KeyMissing,
                $"Could not open the session store{at}: {nameof(FileSessionStoreOptions.EncryptionKey)} does not know the key with id {keyId}, which it needs. Let it know that key; nothing has been changed.",
                location);
        }

        // Nobody's key, but what a provider leaves that forgets to write one.
        if (!key.ContainsAnyExcept((byte)0))
        {
            throw new StorageException(
                StorageFailureKind.KeyMissing,
                $"Could not open the session store{at}: {nameof(FileSessionStoreOptions.EncryptionKey)} gave a key of nothing but zeros for id {keyId}. Write all 32 bytes; nothing has been changed.",
                location);
        }
    }
}
