using Nightjar.Bench.Bare;

namespace Nightjar.Bench.Work;

/// <summary>Which work belongs to a row.</summary>
internal static class RowWork
{
    /// <summary>The client's.</summary>
    public static async Task<IWork> OpenAsync(PeerEndpoint peer, Row row, string directory)
    {
        switch (row.Kind)
        {
            case RowKind.Queue:
                return new QueueWork(peer, row, directory);
            case RowKind.Drain:
                return new DrainWork(peer, row, directory);
            case RowKind.RecoverRecords:
                return await RecordRecoveryWork.OpenAsync(row, directory);
            case RowKind.RecoverSession:
                return await SessionRecoveryWork.OpenAsync(peer, row, directory);
            case RowKind.Bridge:
                return await BridgeWork.OpenAsync(peer, row, waitsForEach: false);
            case RowKind.Receive:
                return await ClientWork.ConnectAsync(new ReceiveWork(peer, row));
            default:
                ClientWork work = row switch
                {
                    { InFlight: 0 } => new PublishWork(peer, row),
                    { IsLatency: true } => new LatencyWork(peer, row),
                    _ => new WindowWork(peer, row, directory),
                };
                return await ClientWork.ConnectAsync(work);
        }
    }

    /// <summary>The bare loop's: the same with as little as it can be done.</summary>
    public static async Task<IWork> OpenBareAsync(PeerEndpoint peer, Row row, string directory) => row switch
    {
        { Kind: RowKind.Publish, Store: { } durability } => new BareAppend(row, durability, directory),
        { Kind: RowKind.Publish, InFlight: 0 } => new BarePublish(peer, row),
        { Kind: RowKind.Publish, IsLatency: true } => new BareLatency(peer, row),
        { Kind: RowKind.Publish or RowKind.Drain } => new BareWindow(peer, row),
        { Kind: RowKind.Receive } => new BareReceive(peer, row),
        { Kind: RowKind.Queue } => new BareQueue(row),
        { Kind: RowKind.RecoverRecords or RowKind.RecoverSession } => await BareRead.OpenAsync(peer, row, directory),
        _ => await BridgeWork.OpenAsync(peer, row, waitsForEach: true),
    };
}
