using Nightjar.Cli.CommandLine;
using Nightjar.Cli.Output;

namespace Nightjar.Cli.Commands;

/// <summary><c>nightjar session show</c>: what lies in a store.</summary>
internal sealed class SessionShowCommand(SessionShowSettings settings, Invocation invocation, Diagnostics diagnostics)
{
    /// <summary>The exit code for a store that cannot be read.</summary>
    public const int Unusable = 2;

    /// <summary>Shows it and returns the exit code.</summary>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        StoredSession session;
        try
        {
            session = await StoredSession.ReadAsync(settings.Store.Open(), stop);
        }
        catch (StorageException error)
        {
            diagnostics.Error(FlagWords.Translate(error.Message));
            return Unusable;
        }

        var printed = settings.Json
            ? SessionJson.Print(session, settings.Pretty, settings.Payload, escapes: !settings.Raw)
            : SessionTable.Print(session, settings.Store.Directory!, settings.Payload, escapes: !settings.Raw);
        await invocation.Output.WriteAsync(printed, stop);
        await invocation.Output.FlushAsync(stop);
        return ExitCode.Success;
    }
}
