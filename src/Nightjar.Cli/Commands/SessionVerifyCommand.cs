using System.Globalization;
using System.Text;
using Nightjar.Cli.CommandLine;
using Nightjar.Cli.Output;

namespace Nightjar.Cli.Commands;

/// <summary><c>nightjar session verify</c>: checks every record of a store.</summary>
internal sealed class SessionVerifyCommand(SessionVerifySettings settings, Invocation invocation, Diagnostics diagnostics)
{
    private const int Damaged = 1;

    /// <summary>Checks it and returns the exit code.</summary>
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
            return SessionShowCommand.Unusable;
        }

        var text = new StringBuilder();
        foreach (var stretch in session.Damage)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{TerminalText.Escape(stretch.File)}: {stretch.Length} bytes at {stretch.Offset}: {Explain(stretch)}");
        }

        if (session.UnknownRecords > 0)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"{SessionTable.Count(session.UnknownRecords, "record")} of a kind that this version does not know; they are passed over.");
        }

        foreach (var message in session.Outgoing.Where(message => message.State == StoredMessageState.ContentLost))
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"The content of message {message.Number} is lost; its packet identifier {message.PacketId} stays taken until the session ends.");
        }

        text.AppendLine(CultureInfo.InvariantCulture, $"{(session.IsDamaged ? "damaged" : "intact")}: {SessionTable.Count(session.Records, "record")} in {SessionTable.Count(session.Store.Segments, "file")}, {session.Store.Bytes} bytes");
        await invocation.Output.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), stop);
        await invocation.Output.FlushAsync(stop);
        return session.IsDamaged ? Damaged : ExitCode.Success;
    }

    private static string Explain(in DamagedRecords stretch) => stretch.Reason switch
    {
        DamageReason.Torn => "the end of the newest file, which a process was writing when it was killed, or is writing now. Nothing that was stored is lost.",
        DamageReason.Header => "the header of the file is not what was written. The records behind it are read all the same; nothing is lost.",
        DamageReason.Foreign => "the file is another store's, or has another number than its name says. It is left alone; what it held is lost.",
        DamageReason.Checksum => $"a record is not what was written. {Lost(stretch)}",
        DamageReason.Forged => $"a record was not written by somebody who has the key. {Lost(stretch)}",
        _ => $"no record begins where one must. {Lost(stretch)}",
    };

    // Numbers have no gaps within a file; from one file to the next they leap.
    private static string Lost(in DamagedRecords stretch)
    {
        const int BitsWithinFile = 24;
        var count = stretch.Before - stretch.After - 1;
        return stretch.Before == long.MaxValue || (stretch.Before - 1) >> BitsWithinFile != (stretch.After + 1) >> BitsWithinFile || count >= (1L << BitsWithinFile) - 1
            ? "What it held cannot be known."
            : count == 0 ? "Nothing is lost." : $"Lost: {SessionTable.Count(count, "record")}, {stretch.After + 1} to {stretch.Before - 1}.";
    }
}
