using Nightjar.Protocol.Engine;

namespace Nightjar.Connection;

/// <summary>What an entry into the engine leaves to be done once the lock is released: waits to signal, connections to start and to close, things to log.</summary>
internal sealed class Effects
{
    public List<PublishOutcome> Ended { get; set; } = [];

    public List<EngineOutput> Outputs { get; } = [];

    public NetworkConnection? Start { get; set; }

    public List<(NetworkConnection Connection, bool AfterFlush)> Close { get; } = [];

    public void Clear()
    {
        Ended.Clear();
        Outputs.Clear();
        Close.Clear();
        Start = null;
    }
}
