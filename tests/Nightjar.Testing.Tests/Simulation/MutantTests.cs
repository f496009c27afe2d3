using System.Runtime.Loader;
using Xunit;

namespace Nightjar.Testing.Tests.Simulation;

/// <summary>
/// The simulator finds what it is for: the engine is compiled again with one line changed (Mutants.targets), and each change must be found within a thousand schedules.
/// </summary>
[Collection(WholeMachine.Name)]
public sealed class MutantTests
{
    private const int Schedules = 1_000;

    [Theory]
    [InlineData("SkipDuplicateRecognition")]
    [InlineData("ForgetPubRel")]
    [InlineData("LeakQuotaPermit")]
    [InlineData("AcknowledgeBeforeHandler")]
    [InlineData("ResendOnLiveLink")]
    [InlineData("SendBeforeCommit")]
    [InlineData("ForgetInboundIds")]
    [InlineData("LoseOrderOnResume")]
    public void A_mutant_is_found(string name)
    {
        Assert.NotEmpty(Play(name));
    }

    [Fact]
    public void The_engine_compiled_the_same_way_and_unchanged_is_clean()
    {
        Assert.Empty(Play("Unchanged"));
    }

    /// <summary>What the mutant's own simulator says: types of this name are others than those of this test.</summary>
    private static List<string> Play(string name)
    {
        var context = new AssemblyLoadContext(name, isCollectible: true);
        try
        {
            var assembly = context.LoadFromAssemblyPath(Path.Combine(AppContext.BaseDirectory, "mutants", $"{name}.dll"));
            var play = assembly.GetType("Nightjar.Testing.Simulator", throwOnError: true)!.GetMethod("RunMany")!;
            dynamic series = play.Invoke(obj: null, [0L, Schedules, null])!;
            var violations = new List<string>();
            foreach (var run in series.Failed)
            {
                violations.Add(run.ToString());
            }

            TestContext.Current.TestOutputHelper?.WriteLine(string.Join(Environment.NewLine, violations));
            return violations;
        }
        finally
        {
            context.Unload();
        }
    }
}
