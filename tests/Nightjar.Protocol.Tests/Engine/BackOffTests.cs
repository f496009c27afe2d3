using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

public sealed class BackOffTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    [Fact]
    public void The_bound_doubles_up_to_the_maximum()
    {
        var backOff = new BackOff(Settings(random: 0.999_999));

        var delays = Enumerable.Range(0, 9).Select(_ => Math.Round(backOff.Next(transient: true) / (double)Second)).ToList();

        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60, 60], delays);
    }

    [Fact]
    public void Jitter_is_full()
    {
        var backOff = new BackOff(Settings(random: 0));

        Assert.All(Enumerable.Range(0, 20), _ => Assert.Equal(0, backOff.Next(transient: true)));
    }

    [Fact]
    public void A_thousand_failures_do_not_overflow()
    {
        var backOff = new BackOff(Settings(random: 0.999_999) with { MaximumDelay = TimeSpan.FromDays(49).Ticks });

        Assert.All(Enumerable.Range(0, 1_000), _ => Assert.InRange(backOff.Next(transient: true), 0, TimeSpan.FromDays(49).Ticks));
        Assert.Equal(1_000, backOff.Failures);
    }

    [Fact]
    public void What_trying_again_does_not_cure_waits_for_the_longest()
    {
        Assert.Equal(60 * Second, new BackOff(Settings(random: 0)).Next(transient: false));
    }

    [Fact]
    public void Only_a_stable_connection_starts_over()
    {
        var backOff = new BackOff(Settings(random: 0.5));
        backOff.Next(transient: true);
        backOff.Next(transient: true);

        backOff.Lived((30 * Second) - 1);
        Assert.Equal(2, backOff.Failures);
        Assert.Equal(2 * Second, backOff.Next(transient: true));

        backOff.Lived(30 * Second);
        Assert.Equal(Second / 2, backOff.Next(transient: true));
    }

    private static EngineSettings Settings(double random) => ScriptedServer.Settings() with { Random = () => random };
}
