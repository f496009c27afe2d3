namespace Nightjar.Cli.Input;

/// <summary>Reads a stream to its end, as one message.</summary>
internal static class WholeInput
{
    private const int InitialBuffer = 64 * 1024;

    /// <summary>The bytes. More than <paramref name="maximumLength"/> of them throw <see cref="InvalidDataException"/>.</summary>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(Stream stream, int maximumLength, CancellationToken cancellationToken)
    {
        var buffer = new byte[InitialBuffer];
        var filled = 0;
        while (true)
        {
            // A read of a terminal cannot be cancelled; the wait for it can.
            var read = await stream.ReadAsync(buffer.AsMemory(filled), cancellationToken).AsTask().WaitAsync(cancellationToken);
            filled += read;
            if (read == 0)
            {
                return buffer.AsMemory(0, filled);
            }

            if (filled > maximumLength)
            {
                throw new InvalidDataException($"More than {maximumLength} bytes are too many for a message.");
            }

            if (filled == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }
        }
    }
}
