namespace Nightjar;

/// <summary>What <see cref="FileSessionStore.ReadAsync"/> found, beside records and damage.</summary>
/// <param name="StoreId">Which store it is; <see cref="Guid.Empty"/> if nothing has been written to it yet.</param>
/// <param name="Segments">How many files hold records.</param>
/// <param name="Bytes">What is in them, records that are obsolete included.</param>
/// <param name="IsEncrypted">Whether records are encrypted.</param>
public readonly record struct SessionStoreInspection(Guid StoreId, int Segments, long Bytes, bool IsEncrypted);
