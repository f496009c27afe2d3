namespace Nightjar;

/// <summary>What an awaited call does while the client has never been connected.</summary>
public enum FirstConnect
{
    /// <summary>Attempts are repeated until the connect timeout is over, then the call fails. A refusal that will not change fails it at once.</summary>
    FailFast,

    /// <summary>The first failed attempt fails the call.</summary>
    SingleAttempt,

    /// <summary>The client keeps trying, and calls wait: for services.</summary>
    KeepTrying,
}
