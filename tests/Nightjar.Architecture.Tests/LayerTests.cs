using Xunit;

namespace Nightjar.Architecture.Tests;

/// <summary>The arrows of ARCHITECTURE.md, read from what was built.</summary>
public sealed class LayerTests
{
    private const string Logging = "Microsoft.Extensions.Logging.Abstractions";

    [Theory]
    [InlineData("Nightjar.Protocol")]
    [InlineData("Nightjar", "Nightjar.Protocol", Logging)]
    [InlineData("Nightjar.Testing", "Nightjar", "Nightjar.Protocol", Logging)]
    [InlineData("Nightjar.Cli", "Nightjar", "Nightjar.Protocol", "Nightjar.Testing", "System.CommandLine", Logging)]
    public void An_assembly_refers_only_to_the_layers_below_it(string assembly, params string[] allowed)
    {
        using var built = BuiltAssembly.Open(assembly);

        Assert.Empty(built.References().Except(allowed));
    }

    [Fact]
    public void The_protocol_does_no_io_reads_no_clock_and_starts_no_thread()
    {
        using var protocol = BuiltAssembly.Open("Nightjar.Protocol");

        Assert.Empty(PurityRule.Violations(protocol));
    }

    [Fact]
    public void The_purity_rule_sees_what_it_forbids()
    {
        using var impure = BuiltAssembly.Open("Nightjar.Architecture.Tests");

        var violations = PurityRule.Violations(impure);

        Assert.Contains("System.IO.File", violations);
        Assert.Contains("System.DateTime.get_UtcNow", violations);
        Assert.Contains("System.Threading.Tasks.Task", violations);
        Assert.DoesNotContain(violations, type => type.StartsWith("System.Collections", StringComparison.Ordinal));
    }

    // Never called: it gives the test above something to find.
    internal static async Task<DateTime> ImpureAsync()
    {
        await Task.Yield();
        return DateTime.UtcNow;
    }
}
