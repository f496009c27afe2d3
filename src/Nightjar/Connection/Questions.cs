using Microsoft.Extensions.Logging;
using Nightjar.Diagnostics;
using Nightjar.Protocol.Engine;

namespace Nightjar.Connection;

/// <summary>What the engine asks the application's own code: a delay, a connection window. It runs on the pool, without a lock; the answer goes back as another entry.</summary>
internal sealed class Questions(EngineHost host, ILogger logger)
{
    // A window of somebody who means "always" is as long as calendars are.
    private static readonly TimeSpan Forever = TimeSpan.FromDays(36_500);

    private ReconnectPolicy? _told;

    public void Ask(EngineOutput output)
    {
        switch (output)
        {
            case EngineOutput.AskDelay question:
                _ = Task.Run(() => host.AnswerDelay(question.Question, DelayAfter(question)));
                break;
            case EngineOutput.AskWindow window:
                _ = Task.Run(() =>
                {
                    var (opens, closes) = NextWindow();
                    host.AnswerWindow(window.Question, opens, closes);
                });
                break;
        }
    }

    private TimeSpan? DelayAfter(EngineOutput.AskDelay question)
    {
        var options = host.Options.Reconnect;
        try
        {
            var error = Failure.ToConnectException(question.Reason, host.ServerName);
            var attempt = new FailedAttempt(question.Reason.Server ?? host.ServerName, error, question.Reason.Class, question.Number, TimeSpan.FromTicks(question.Elapsed));
            return options.Policy!.NextDelay(attempt) is { } delay ? InRange(delay, options.Policy) : null;
        }
#pragma warning disable CA1031 // whatever it throws: the client goes on
        catch (Exception error)
#pragma warning restore CA1031
        {
            Log.PolicyFailed(logger, error);
            return options.MaximumDelay;
        }
    }

    /// <summary>What a client can wait. A policy that asks for something else is told of once.</summary>
    private TimeSpan InRange(TimeSpan delay, ReconnectPolicy policy)
    {
        var used = TimeSpan.FromTicks(Math.Clamp(delay.Ticks, 0, OptionConflicts.MaximumTimer.Ticks));
        if (used != delay && Interlocked.Exchange(ref _told, policy) != policy)
        {
            Log.DelayOutOfRange(logger, delay, used);
        }

        return used;
    }

    /// <summary>From now; both in the past if there is none.</summary>
    private (TimeSpan Opens, TimeSpan Closes) NextWindow()
    {
        try
        {
            var now = host.Options.TimeProvider.GetUtcNow();
            if (host.Options.Connection.Schedule?.NextWindow(now) is not { } window)
            {
                return (TimeSpan.MinValue, TimeSpan.MinValue);
            }

            return window.End > now && window.End > window.Start
                ? (Clamp(window.Start - now), Clamp(window.End - now))
                : throw new InvalidOperationException($"It is {now:O}, and the window from {window.Start:O} to {window.End:O} is over already, or ends before it begins.");
        }
#pragma warning disable CA1031 // whatever it throws: the client stays down and says so
        catch (Exception error)
#pragma warning restore CA1031
        {
            Log.ScheduleFailed(logger, error);
            return (TimeSpan.MinValue, TimeSpan.MinValue);
        }
    }

    private static TimeSpan Clamp(TimeSpan time) => TimeSpan.FromTicks(Math.Clamp(time.Ticks, -Forever.Ticks, Forever.Ticks));
}
