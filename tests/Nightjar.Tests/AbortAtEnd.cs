namespace Nightjar.Tests;

/// <summary>Cuts the connection when the test is over, also when it failed: a peer that follows a script, or a clock that stands still, lets no client leave in order.</summary>
internal sealed class AbortAtEnd(MqttClient client) : IDisposable
{
    public void Dispose() => client.Abort();
}
