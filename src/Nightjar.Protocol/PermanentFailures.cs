namespace Nightjar;

/// <summary>What a client does about a failure that trying again does not cure: bad credentials, a ban, another version, a certificate for another name.</summary>
public enum PermanentFailures
{
    /// <summary>It is reported at once, and tried again after the longest delay: somebody may put it right at the server.</summary>
    RetrySlowly,

    /// <summary>It is reported at once, and the client gives up: calls that wait fail, and <c>Completion</c> faults.</summary>
    GiveUp,
}
