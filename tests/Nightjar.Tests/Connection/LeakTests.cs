using System.Globalization;
using Xunit;

namespace Nightjar.Tests.Connection;

/// <summary>Measures the memory of the process, so nothing else may run.</summary>
[CollectionDefinition("Alone", DisableParallelization = true)]
[Collection("Alone")]
public sealed class LeakTests
{
    [Fact]
    public async Task Five_hundred_clients_leave_nothing_behind()
    {
        await using var broker = InMemory.Broker(options => options.RecordPublished = false);
        await CycleAsync(50);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        await CycleAsync(500);

        var after = GC.GetTotalMemory(forceFullCollection: true);
        await broker.WaitForNoClientsAsync();
        Assert.Empty(broker.Sessions);

        // The smallest buffer of a client alone is 4 KiB; 500 of them would be twice this.
        Assert.True(after - before < 1_000_000, string.Create(CultureInfo.InvariantCulture, $"{after - before} bytes more"));

        async Task CycleAsync(int cycles)
        {
            for (var i = 0; i < cycles; i++)
            {
                await using var client = new MqttClient(InMemory.Options(broker));
                await using var subscription = client.On("t", _ => { });
                await client.PublishAsync("t", "x").Soon();
            }
        }
    }
}
