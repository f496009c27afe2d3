namespace Nightjar.Tests.Storage;

/// <summary>Keys for tests: each id has one of its own, and each seed other ones.</summary>
internal static class Keys
{
    public static SessionKeyProvider Of(int seed, params int[] known) => (_, keyId, key) =>
    {
        if (known.Length > 0 && !known.Contains(keyId))
        {
            return false;
        }

        new Random((seed * 1000) + keyId).NextBytes(key);
        return true;
    };
}
