using System.Diagnostics.CodeAnalysis;

namespace Nightjar.Protocol.Engine;

/// <summary>What is said of attempts that failed: at once, or, where the host decides how long to wait, when it has answered or nobody waits for its answer any more.</summary>
internal sealed class FailureReports(Queue<EngineOutput> outputs)
{
    private int _question;
    private CloseReason? _unanswered;

    /// <summary>The host is to say how long to wait.</summary>
    public void Ask(CloseReason reason, int number, long elapsed)
    {
        _unanswered = reason;
        outputs.Enqueue(new EngineOutput.AskDelay(++_question, reason, number, elapsed));
    }

    /// <summary>The host answers; what it was asked about. False: it was asked something else since.</summary>
    public bool TryAnswer(int question, [NotNullWhen(true)] out CloseReason? reason)
    {
        reason = question == _question ? _unanswered : null;
        if (reason is null)
        {
            return false;
        }

        _unanswered = null;
        return true;
    }

    /// <summary>An attempt failed. Of a connection that was lost, its end is the report.</summary>
    public void Report(CloseReason reason, long retryAt, bool givesUp = false)
    {
        if (!reason.WasConnected)
        {
            outputs.Enqueue(new EngineOutput.AttemptFailed(reason, retryAt) { GivesUp = givesUp });
        }
    }

    /// <summary>Nobody waits for the host's answer any more.</summary>
    public void ReportUnanswered(long retryAt)
    {
        if (_unanswered is { } reason)
        {
            _unanswered = null;
            Report(reason, retryAt);
        }
    }
}
