using Nightjar.Cli.Output;

namespace Nightjar.Cli;

/// <summary>
/// What the tool says to people, on standard error, one line each. What a broker or a file name put into it is
/// escaped: it may be read on a terminal.
/// </summary>
/// <param name="error">Written from several threads: a synchronized writer.</param>
internal sealed class Diagnostics(TextWriter error)
{
    /// <summary>Errors and warnings of the run are left out (<c>--quiet</c>); those of the command line are not.</summary>
    public bool Quiet { get; set; }

    /// <summary>Whether <see cref="Debug"/> says anything (<c>-d</c>).</summary>
    public bool Verbose { get; set; }

    /// <summary>Whether control characters pass (<c>--raw</c>).</summary>
    public bool Raw { get; set; }

    public void Error(string text) => Write(Quiet, $"Error: {text}");

    public void Warning(string text) => Write(Quiet, $"Warning: {text}");

    public void Debug(string text) => Write(!Verbose, text);

    /// <summary>Text of our own, as it is.</summary>
    public void Plain(string text) => error.WriteLine(text);

    private void Write(bool silent, string text)
    {
        if (!silent)
        {
            Plain(Raw ? text : TerminalText.Escape(text));
        }
    }
}
