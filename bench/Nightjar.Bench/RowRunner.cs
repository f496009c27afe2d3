using Nightjar.Bench.Peer;
using Nightjar.Bench.Work;

namespace Nightjar.Bench;

/// <summary>Measures a row: the bare socket and the client in turn, so that a bad moment of the machine hits both.</summary>
internal static class RowRunner
{
    // Long enough for the compiler's second tier to have replaced all that is hot, and for pools to have grown.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);

    public static async Task<RowResult> RunAsync(PeerEndpoint peer, Row row, SystemCallCounter? counter, BenchOptions options)
    {
        await using var bare = await RowWork.OpenBareAsync(peer, row, options.Directory);
        await using var client = options.BareOnly ? null : await RowWork.OpenAsync(peer, row, options.Directory);
        await bare.PrepareRunAsync();
        await bare.RunAsync(Quota.For(WarmUp / 4));
        if (client is not null)
        {
            await client.PrepareRunAsync();
            await client.RunAsync(Quota.For(WarmUp));
        }

        var ofBare = new List<Measurement>();
        var ofClient = new List<Measurement>();
        for (var run = 0; run < options.Runs; run++)
        {
            ofBare.Add(await Measurement.TakeAsync(bare, Quota.For(options.Time)));
            if (client is not null)
            {
                ofClient.Add(await Measurement.TakeAsync(client, Quota.For(options.Time)));
            }
        }

        return new RowResult(
            row,
            ofClient.Count > 0 ? Measurement.Median(ofClient) : null,
            Measurement.Median(ofBare),
            counter is not null && row.IsSteady && !options.BareOnly ? await SystemCallCount.TakeAsync(counter, peer, row, options.Directory) : null);
    }
}
