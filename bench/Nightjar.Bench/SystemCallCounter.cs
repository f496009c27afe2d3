using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Nightjar.Bench;

/// <summary>Runs a command and counts the system calls of all its threads, by name.</summary>
internal abstract class SystemCallCounter
{
    /// <summary>What counts, for the table.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// strace where it is installed: the floors, and the figures of the clients that they were compared with, were counted with it. Else the kernel's own counters, which do
    /// not slow the process down. Throws <see cref="FormatException"/>, for the command line, if there is neither.
    /// </summary>
    public static SystemCallCounter Find()
    {
        if (Runs("strace", ["-V"]))
        {
            return new StraceCounter();
        }

        return Runs("perf", ["stat", "-e", PerfCounter.All, "true"])
            ? new PerfCounter()
            : throw new FormatException("--syscalls and --floors need strace (apt-get install strace), or perf with the right to read tracepoints (root)");
    }

    public async Task<IReadOnlyDictionary<string, long>> CountAsync(string[] command)
    {
        var summary = Path.GetTempFileName();
        try
        {
            var (counter, arguments) = CommandLine(summary, command);
            using var process = Process.Start(new ProcessStartInfo(counter, arguments) { UseShellExecute = false })!;
            await process.WaitForExitAsync();
            if (process.ExitCode != 0)
            {
                throw new InvalidOperationException($"the counted process ended with {process.ExitCode}");
            }

            var calls = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var line in await File.ReadAllLinesAsync(summary))
            {
                if (Parse(line) is { } call)
                {
                    calls[call.Name] = call.Count;
                }
            }

            return calls.Count > 0 ? Complete(calls) : throw new InvalidOperationException($"{Name} wrote no summary");
        }
        finally
        {
            File.Delete(summary);
        }
    }

    protected abstract (string Counter, IEnumerable<string> Arguments) CommandLine(string summary, string[] command);

    protected abstract (string Name, long Count)? Parse(string line);

    protected virtual IReadOnlyDictionary<string, long> Complete(Dictionary<string, long> calls) => calls;

    private static bool Runs(string command, string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(command, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }

    private static bool TryCount(string word, out long count) => long.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out count);

    private sealed class PerfCounter : SystemCallCounter
    {
        public const string All = "raw_syscalls:sys_enter";
        private const string One = "syscalls:sys_enter_";

        // Those that a busy client makes; whatever else there is shows as "others".
        private static readonly string[] Named =
        [
            "sendto", "sendmsg", "recvfrom", "recvmsg", "epoll_wait", "read", "write", "futex", "sched_yield", "madvise", "mprotect", "poll",
        ];

        public override string Name => "perf stat";

        protected override (string, IEnumerable<string>) CommandLine(string summary, string[] command) =>
            ("perf", ["stat", "-x", ",", "-o", summary, "-e", All, .. Named.SelectMany(name => new[] { "-e", One + name }), "--", .. command]);

        // 3107,,raw_syscalls:sys_enter,241851745,100.00,,
        protected override (string, long)? Parse(string line)
        {
            var words = line.Split(',');
            return words.Length > 2 && TryCount(words[0], out var count) ? (words[2].Replace(One, "", StringComparison.Ordinal), count) : null;
        }

        protected override IReadOnlyDictionary<string, long> Complete(Dictionary<string, long> calls)
        {
            calls.Remove(All, out var all);
            calls["others"] = all - calls.Values.Sum();
            return calls;
        }
    }

    private sealed class StraceCounter : SystemCallCounter
    {
        public override string Name => "strace";

        protected override (string, IEnumerable<string>) CommandLine(string summary, string[] command) => ("strace", ["-f", "-c", "-o", summary, .. command]);

        // % time, seconds, usecs/call, calls, [errors], syscall
        protected override (string, long)? Parse(string line)
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return words.Length >= 5 && words[^1] != "total" && TryCount(words[3], out var count) ? (words[^1], count) : null;
        }
    }
}
