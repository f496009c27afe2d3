namespace Nightjar.Cli.CommandLine;

/// <summary>Which store a verb works with, and with which key.</summary>
internal sealed class StoreFlags
{
    private const int KeyLength = 32;

    private byte[]? _key;

    /// <summary>The flag of all verbs that have a store.</summary>
    public Flag KeyFlag => new("--store-key", "FILE", "the store is encrypted; file with the key: 64 hexadecimal digits", value => _key = ReadKey(value));

    /// <summary>The directory; null: none.</summary>
    public string? Directory { get; set; }

    /// <summary>The store. Throws <see cref="UsageException"/> if the directory can be none.</summary>
    public FileSessionStore Open(Durability durability = Durability.Grouped)
    {
        try
        {
            var options = new FileSessionStoreOptions { Durability = durability, EncryptionKey = _key is null ? null : Provide };
            return new FileSessionStore(Directory!, options);
        }
        catch (ArgumentException error)
        {
            throw new UsageException($"'{Directory}' is no name of a directory.", error);
        }
    }

    /// <summary>Takes the one operand of a verb. Throws <see cref="UsageException"/> for a second one.</summary>
    public void TakeDirectory(string value) =>
        Directory = Directory is null ? value : throw new UsageException($"One directory at a time; '{value}' is the second.");

    /// <summary>Throws <see cref="UsageException"/> if there is no directory.</summary>
    public void ThrowIfNone()
    {
        if (Directory is null)
        {
            throw new UsageException("The directory of the store is missing.");
        }
    }

    private static byte[] ReadKey(string file)
    {
        try
        {
            var key = Convert.FromHexString(File.ReadAllText(file).Trim());
            return key.Length == KeyLength ? key : throw new FormatException();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--store-key: {error.Message}", error);
        }
        catch (FormatException error)
        {
            // What is in the file stays there.
            throw new UsageException($"--store-key: '{file}' does not hold 64 hexadecimal digits.", error);
        }
    }

    private bool Provide(Guid storeId, int keyId, Span<byte> key)
    {
        _key.CopyTo(key);
        return keyId == 1;
    }
}
