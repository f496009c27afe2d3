namespace Nightjar.Cli.CommandLine;

/// <summary>The command line, or a file that it names, cannot be used; the message says why, to the person who typed it.</summary>
internal sealed class UsageException : Exception
{
    public UsageException(string message)
        : base(message)
    {
    }

    public UsageException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
