namespace Nightjar;

/// <summary>
/// Gives the key of a <see cref="FileSessionStore"/> whose records are encrypted. Asked while the store is opened: for the current key, and for each key that encrypted a part of the log. It must not
/// wait for long; fetch the keys before you make the store. What it throws ends the opening.
/// </summary>
/// <param name="storeId">Which store asks. One key may serve several stores: each derives its own from it.</param>
/// <param name="keyId">Which key: <see cref="FileSessionStoreOptions.EncryptionKeyId"/> of now or of an earlier opening.</param>
/// <param name="key">Takes the key: 32 bytes, as random as can be; a password is not. They are wiped as soon as the store's own keys are derived.</param>
/// <returns>False if the key is not known (any more).</returns>
public delegate bool SessionKeyProvider(Guid storeId, int keyId, Span<byte> key);
