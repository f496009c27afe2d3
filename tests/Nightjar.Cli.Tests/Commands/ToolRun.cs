using System.Text;

namespace Nightjar.Cli.Tests.Commands;

/// <summary>One run of the tool in this process: what goes in, what came out.</summary>
internal sealed class ToolRun : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly WatchedStream _output = new();
    private readonly WatchedStream _error = new();
    private readonly Task<int> _exitCode;

    public ToolRun(string commandLine, Stream? input = null, bool terminal = false, TimeProvider? clock = null, Stream? output = null)
        : this(commandLine.Split(' '), input, terminal, clock, output)
    {
    }

    public ToolRun(IReadOnlyList<string> arguments, Stream? input = null, bool terminal = false, TimeProvider? clock = null, Stream? output = null)
    {
        var invocation = new Invocation
        {
            Input = input ?? Stream.Null,
            Output = output ?? _output,
            Error = TextWriter.Synchronized(new StreamWriter(_error, new UTF8Encoding(false)) { AutoFlush = true }),
            OutputIsTerminal = terminal,
            Variable = _ => null,
            Clock = clock ?? TimeProvider.System,
        };
        _exitCode = Task.Run(() => Tool.RunAsync(arguments, invocation, _stop.Token));
    }

    /// <summary>Standard output so far, bytes as Latin-1.</summary>
    public string Output => _output.Text;

    /// <summary>Standard error so far.</summary>
    public string Error => _error.Text;

    /// <summary>The exit code; nothing here takes half a minute unless it hangs.</summary>
    public Task<int> ExitCodeAsync() => _exitCode.WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>As Ctrl-C does.</summary>
    public void Stop() => _stop.Cancel();

    /// <summary>Completes as soon as standard output holds this.</summary>
    public Task WaitForOutputAsync(string text) => _output.WaitForAsync(text).WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>The same for standard error.</summary>
    public Task WaitForErrorAsync(string text) => _error.WaitForAsync(text).WaitAsync(TimeSpan.FromSeconds(30));

    public void Dispose() => _stop.Dispose();

    /// <summary>Runs to the end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> ToEndAsync(string commandLine, string input = "")
    {
        using var run = new ToolRun(commandLine, new MemoryStream(Encoding.Latin1.GetBytes(input)));
        var exitCode = await run.ExitCodeAsync();
        return (exitCode, run.Output, run.Error);
    }

    private sealed class WatchedStream : MemoryStream
    {
        private readonly Lock _gate = new();
        private TaskCompletionSource _written = New();

        public string Text
        {
            get
            {
                lock (_gate)
                {
                    return Encoding.Latin1.GetString(ToArray());
                }
            }
        }

        public async Task WaitForAsync(string text)
        {
            while (true)
            {
                Task written;
                lock (_gate)
                {
                    written = _written.Task;
                }

                if (Text.Contains(text, StringComparison.Ordinal))
                {
                    return;
                }

                await written;
            }
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            lock (_gate)
            {
                base.Write(buffer.ToArray(), 0, buffer.Length);
                _written.SetResult();
                _written = New();
            }
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Write(buffer.Span);
            return ValueTask.CompletedTask;
        }

        private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
