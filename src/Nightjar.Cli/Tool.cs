using System.Reflection;
using System.Text;
using Nightjar.Cli.CommandLine;
using Nightjar.Cli.Commands;
using Nightjar.Cli.Output;

namespace Nightjar.Cli;

/// <summary>The tool without its process: picks the verb, runs it, turns what went wrong into a line for people and a code for the shell.</summary>
internal static class Tool
{
    private const string Overview = $"""
        nightjar: an MQTT client for the command line

        usage: nightjar pub -t TOPIC -m TEXT [-h HOST] [flags]    publish
               nightjar sub -t FILTER [-h HOST] [flags]           subscribe and print what comes
               nightjar session show|verify|drain DIR             what waits in the store of a session; check it; deliver it
               nightjar broker [-p PORT]                          run a small broker, for development
               nightjar demo [-h HOST]                            see publish and subscribe at work
               nightjar VERB --help                               all flags of a verb

        The flags of pub and sub are those of mosquitto_pub and mosquitto_sub: the same letters, defaults and meanings.
        Data goes to standard output, everything else to standard error.

        Exit status:
        {ExitCode.Table}
        """;

    private static string Version =>
        typeof(Tool).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>Runs one command line.</summary>
    /// <param name="arguments">The verb and its flags.</param>
    /// <param name="invocation">The surroundings.</param>
    /// <param name="stop">Ends the verb in an orderly way: it unsubscribes and disconnects.</param>
    /// <returns>The exit code, see <see cref="ExitCode"/>.</returns>
    public static Task<int> RunAsync(IReadOnlyList<string> arguments, Invocation invocation, CancellationToken stop)
    {
        var diagnostics = new Diagnostics(invocation.Error);
        if (arguments.Count == 0)
        {
            diagnostics.Plain(Overview);
            return Task.FromResult(ExitCode.Usage);
        }

        // "session" has verbs of its own.
        var words = arguments[0] == "session" && arguments.Count > 1 ? 2 : 1;
        var verb = string.Join(' ', arguments.Take(words));
        return verb switch
        {
            "pub" => RunAsync(verb, new PubSettings(), settings => new PubCommand(settings, invocation, diagnostics).RunAsync(stop)),
            "sub" => RunAsync(verb, new SubSettings(), settings => new SubCommand(settings, invocation, diagnostics).RunAsync(stop)),
            "broker" => RunAsync(verb, new BrokerSettings(), settings => new BrokerCommand(settings, invocation, diagnostics).RunAsync(stop)),
            "demo" => RunAsync(verb, new DemoSettings(), settings => new DemoCommand(settings, invocation, diagnostics).RunAsync(stop)),
            "session show" => RunAsync(verb, new SessionShowSettings(), settings => new SessionShowCommand(settings, invocation, diagnostics).RunAsync(stop)),
            "session verify" => RunAsync(verb, new SessionVerifySettings(), settings => new SessionVerifyCommand(settings, invocation, diagnostics).RunAsync(stop)),
            "session drain" => RunAsync(verb, new SessionDrainSettings(), settings => new SessionDrainCommand(settings, invocation, diagnostics).RunAsync(stop)),
            "session --help" => PrintAsync(Overview),
            "--help" or "-h" or "help" => PrintAsync(Overview),
            "--version" => PrintAsync($"nightjar {Version}"),
            _ => Task.FromResult(Refuse($"Unknown verb '{verb}'.", "nightjar --help")),
        };

        async Task<int> RunAsync<TSettings>(string verb, TSettings settings, Func<TSettings, Task<int>> run)
            where TSettings : VerbSettings
        {
            try
            {
                settings.Read([.. arguments.Skip(words)]);
                if (settings.Help || settings.ShowVersion)
                {
                    return await PrintAsync(settings.Help ? settings.HelpText() : $"nightjar {Version}");
                }

                diagnostics.Quiet = settings.Quiet;
                diagnostics.Verbose = settings.Debug;
                diagnostics.Raw = settings.Raw;
                return await run(settings);
            }
            catch (UsageException error)
            {
                return Refuse(error.Message, $"nightjar {verb} --help");
            }
            catch (OutputClosedException)
            {
                return ExitCode.Success;
            }
            catch (IOException error) when (OutputClosedException.Is(error))
            {
                return ExitCode.Success;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return ExitCode.Interrupted;
            }
            catch (Exception error) when (error is MqttException or IOException)
            {
                diagnostics.Error(FlagWords.Translate(error.Message));
                return ExitCode.From(error, (settings as ConnectionSettings)?.Version);
            }
        }

        int Refuse(string error, string help)
        {
            diagnostics.Plain($"Error: {TerminalText.Escape(error, lines: true)}{Environment.NewLine}{Environment.NewLine}Use '{help}' to see usage.");
            return ExitCode.Usage;
        }

        async Task<int> PrintAsync(string text)
        {
            await invocation.Output.WriteAsync(Encoding.UTF8.GetBytes(text + Environment.NewLine), stop);
            await invocation.Output.FlushAsync(stop);
            return ExitCode.Success;
        }
    }
}
