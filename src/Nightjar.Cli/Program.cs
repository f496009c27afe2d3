using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Nightjar.Cli;

using var stop = new CancellationTokenSource();
var stopCode = ExitCode.Interrupted;
var stoppedAt = 0L;
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, ExitCode.Interrupted));
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, ExitCode.Terminated));

var code = await Tool.RunAsync(
    args,
    new Invocation
    {
        Input = Open(0, FileAccess.Read, Console.OpenStandardInput),
        Output = Open(1, FileAccess.Write, Console.OpenStandardOutput),
        Error = TextWriter.Synchronized(new StreamWriter(Open(2, FileAccess.Write, Console.OpenStandardError), new UTF8Encoding(false)) { AutoFlush = true }),
        OutputIsTerminal = !Console.IsOutputRedirected,
    },
    stop.Token);
return code == ExitCode.Interrupted ? stopCode : code;

// The first signal asks for an orderly end, a later one gets its default: an end at once. Later by a moment, since timeout(1) sends two together.
void Stop(PosixSignalContext signal, int code)
{
    var first = Interlocked.CompareExchange(ref stoppedAt, TimeProvider.System.GetTimestamp(), 0);
    signal.Cancel = first == 0 || TimeProvider.System.GetElapsedTime(first) < TimeSpan.FromSeconds(0.5);
    if (first == 0)
    {
        stopCode = code;
        stop.Cancel();
    }
}

// The streams of Console swallow EPIPE, so that nobody would notice that "| head -1" has gone, and send a terminal an escape sequence of their own. A
// file stream does neither; but on a regular file it counts positions of its own, where the console's go on after whoever used it before.
static Stream Open(int descriptor, FileAccess access, Func<Stream> console)
{
    if (OperatingSystem.IsWindows())
    {
        return console();
    }

    var stream = new FileStream(new SafeFileHandle(descriptor, ownsHandle: false), access, bufferSize: 0);
    return stream.CanSeek ? console() : stream;
}
