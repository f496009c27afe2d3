using System.Diagnostics;
using Nightjar.Interop.Tests.Mosquitto;
using Nightjar.Interop.Tests.Processes;
using Xunit;

namespace Nightjar.Interop.Tests.Samples;

/// <summary>The program of the README, with its server as an argument.</summary>
public sealed class FirstStepsTests
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "Nightjar.FirstSteps");

    [Fact]
    public async Task It_prints_what_it_published()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var program = ChildProcess.Start(Program, [broker.Uri]);

        await program.OutputLineAsync("home/kitchen/temperature 21.5");

        Assert.Empty(program.Errors);
    }

    [Fact]
    public async Task Without_a_broker_it_says_so_and_fails_within_16_seconds()
    {
        var server = $"127.0.0.1:{LoopbackPort.FindFree()}";
        var began = Stopwatch.GetTimestamp();

        var ended = await ChildProcess.RunAsync(Program, [$"mqtt://{server}"]);

        Assert.NotEqual(0, ended.Code);
        Assert.Empty(ended.Output);
        Assert.Contains(server, ended.Errors, StringComparison.Ordinal);
        Assert.Contains("refused", ended.Errors, StringComparison.OrdinalIgnoreCase);
        // A promise to a person who waits, and so the one place where the wall clock is what is tested.
        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(16));
    }
}
