namespace Nightjar.Connection;

/// <summary>What is said about a message besides its bytes.</summary>
/// <param name="QoS">As asked for.</param>
/// <param name="Retain">RETAIN.</param>
/// <param name="Alias">The application's own topic alias; 0: none.</param>
/// <param name="TimeToLive">In ticks of 100 ns; 0: for ever.</param>
/// <param name="WhenOffline">Null: the option.</param>
internal readonly record struct PublishTerms(QoS QoS, bool Retain, ushort Alias = 0, long TimeToLive = 0, WhenOffline? WhenOffline = null);
