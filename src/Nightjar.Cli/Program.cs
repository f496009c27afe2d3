using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Nightjar.Cli;

using var stop = new CancellationTokenSource();
var exitCode = ExitCode.Interrupted;
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, ExitCode.Interrupted));
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, ExitCode.Terminated));

var code = await Tool.RunAsync(
    args,
    new Invocation
    {
        Input = Console.OpenStandardInput(),
        Output = OpenOutput(),
        Error = TextWriter.Synchronized(new StreamWriter(Console.OpenStandardError(), new UTF8Encoding(false)) { AutoFlush = true }),
        OutputIsTerminal = !Console.IsOutputRedirected,
    },
    stop.Token);
return code == ExitCode.Interrupted ? exitCode : code;

// The first signal asks for an orderly end, the second gets its default: an end at once.
void Stop(PosixSignalContext signal, int code)
{
    signal.Cancel = !stop.IsCancellationRequested;
    exitCode = code;
    stop.Cancel();
}

// The console's stream swallows EPIPE, and then nobody would notice that "| head -1" has gone. A file stream does not; but on a regular file it
// counts positions of its own, where the console's appends after whoever wrote before.
static Stream OpenOutput()
{
    if (OperatingSystem.IsWindows() || !Console.IsOutputRedirected)
    {
        return Console.OpenStandardOutput();
    }

    var output = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
    return output.CanSeek ? Console.OpenStandardOutput() : output;
}
