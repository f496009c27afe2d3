namespace Nightjar.Testing;

/// <summary>A message that a simulated handler is called with.</summary>
/// <param name="Number">Its number in the run, from 0, in the order in which the broker got it.</param>
/// <param name="Topic">Its topic.</param>
/// <param name="QoS">As it was delivered.</param>
/// <param name="Retain">It comes from the broker's memory.</param>
/// <param name="Attempt">0 at first; the handler is called again when it throws, and when the message is delivered again.</param>
public readonly record struct SimulatedMessage(int Number, string Topic, QoS QoS, bool Retain, int Attempt);

/// <summary>What a simulated handler does with one message: it ends after some time, one way or the other.</summary>
/// <param name="Duration">Virtual time that it takes.</param>
/// <param name="Throws">Whether it throws at the end of it.</param>
public readonly record struct SimulatedHandling(TimeSpan Duration, bool Throws = false)
{
    /// <summary>It ends at once.</summary>
    public static SimulatedHandling AtOnce => default;
}

/// <summary>The n-th connection breaks there, and the ones after the last cut are left alone.</summary>
/// <param name="ToServer">Whether bytes to the server count, or those to the client.</param>
/// <param name="Offset">So many bytes arrive in that direction and none behind them; nothing more arrives in the other.</param>
public readonly record struct SimulatedCut(bool ToServer, long Offset);
