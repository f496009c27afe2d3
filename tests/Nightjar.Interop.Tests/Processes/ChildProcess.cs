using System.Diagnostics;
using System.Globalization;

namespace Nightjar.Interop.Tests.Processes;

/// <summary>A program that runs beside the test. Every wait has an end, and disposing it ends the program.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    // Far above what anything here takes, so that a busy machine fails no test and a hang still ends.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);

    private readonly Process _process;
    private readonly Transcript _output = new();
    private readonly Transcript _errors = new();

    private ChildProcess(string program, IEnumerable<string> arguments)
    {
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments)
            {
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            },
        };
        _process.OutputDataReceived += (_, line) => _output.Add(line.Data);
        _process.ErrorDataReceived += (_, line) => _errors.Add(line.Data);
    }

    /// <summary>What it wrote to its standard output so far.</summary>
    public string Output => _output.Text;

    public string Errors => _errors.Text;

    /// <param name="program">A name on the path, or a file.</param>
    /// <param name="arguments">As they are, without quoting.</param>
    /// <param name="input">What the program reads from its standard input, which then ends.</param>
    public static ChildProcess Start(string program, IEnumerable<string> arguments, string input = "")
    {
        var child = new ChildProcess(program, arguments);
        child._process.Start();
        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        child._process.StandardInput.Write(input);
        child._process.StandardInput.Close();
        return child;
    }

    public static async Task<Exit> RunAsync(string program, IEnumerable<string> arguments, string input = "")
    {
        await using var child = Start(program, arguments, input);
        return await child.ExitAsync();
    }

    /// <summary>Waits for a line on standard output, or takes one that was already written.</summary>
    public Task OutputLineAsync(string part) => LineAsync(_output, part, skip: 0);

    /// <summary>Waits for a line on standard error.</summary>
    /// <param name="part">What the line contains.</param>
    /// <param name="skip">How many earlier lines like it do not count.</param>
    public Task ErrorLineAsync(string part, int skip = 0) => LineAsync(_errors, part, skip);

    /// <summary>Waits until the program has ended by itself.</summary>
    public async Task<Exit> ExitAsync()
    {
        using var deadline = new CancellationTokenSource(Patience);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException exception)
        {
            throw new TimeoutException($"{_process.StartInfo.FileName} does not end.\nstdout:\n{_output.Text}\nstderr:\n{_errors.Text}", exception);
        }

        return new Exit(_process.ExitCode, _output.Text, _errors.Text);
    }

    /// <summary>Asks it to end, as Ctrl-C (<c>INT</c>) or a service manager (<c>TERM</c>) does, and waits until it has.</summary>
    public async Task<Exit> StopAsync(string signal)
    {
        await RunAsync("kill", [$"-{signal}", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        return await ExitAsync();
    }

    /// <summary>Ends it without asking (<c>kill -9</c>).</summary>
    public async Task<Exit> KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        return await ExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private async Task LineAsync(Transcript transcript, string part, int skip)
    {
        try
        {
            await transcript.LineAsync(part, skip).WaitAsync(Patience);
        }
        catch (Exception exception) when (exception is TimeoutException or EndOfStreamException)
        {
            throw new TimeoutException(
                $"{_process.StartInfo.FileName} never said '{part}'.\nstdout:\n{_output.Text}\nstderr:\n{_errors.Text}", exception);
        }
    }
}
