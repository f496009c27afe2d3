using System.Runtime.CompilerServices;

namespace Nightjar.Cli.Input;

/// <summary>
/// Cuts a stream into lines, byte for byte: a line ends with a line feed, which is not part of it; a carriage return is. What follows
/// the last line feed is a line if it is not empty.
/// </summary>
internal static class LineReader
{
    private const int InitialBuffer = 64 * 1024;

    /// <summary>The lines, each an array of its own, as they come. A line that is longer than a message can be throws <see cref="InvalidDataException"/>.</summary>
    /// <param name="maximumLength">In bytes.</param>
    public static async IAsyncEnumerable<byte[]> ReadAsync(
        Stream stream, int maximumLength, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var buffer = new byte[InitialBuffer];
        var filled = 0;
        while (true)
        {
            // A read of a terminal cannot be cancelled; the wait for it can.
            var read = await stream.ReadAsync(buffer.AsMemory(filled), cancellationToken).AsTask().WaitAsync(cancellationToken);
            if (read == 0)
            {
                break;
            }

            var searched = filled;
            var start = 0;
            filled += read;
            while (buffer.AsSpan(searched, filled - searched).IndexOf((byte)'\n') is >= 0 and var offset)
            {
                yield return buffer[start..(searched + offset)];
                start = searched = searched + offset + 1;
            }

            filled -= start;
            buffer.AsSpan(start, filled).CopyTo(buffer);
            if (filled > maximumLength)
            {
                throw new InvalidDataException($"A line of more than {maximumLength} bytes is too long for a message.");
            }

            if (filled == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }
        }

        if (filled > 0)
        {
            yield return buffer[..filled];
        }
    }
}
