namespace Nightjar;

/// <summary>What a client does when another one has connected with the same client identifier, so that the server ended this connection (0x8E).</summary>
public enum Takeover
{
    /// <summary>
    /// It leaves the other one alone for the longest delay, which doubles with each takeover up to an hour, and tries again then. Two clients that share an identifier
    /// by mistake so change places ever more seldom, and each change is reported.
    /// </summary>
    RetrySlowly,

    /// <summary>It gives up: calls that wait fail, and <c>Completion</c> faults. It connects when asked to.</summary>
    GiveUp,
}
