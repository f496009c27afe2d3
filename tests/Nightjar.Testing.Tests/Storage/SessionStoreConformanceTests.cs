using Xunit;

namespace Nightjar.Testing.Tests.Storage;

/// <summary>A store that keeps the contract passes, and one that breaks a part of it is told which.</summary>
public sealed class SessionStoreConformanceTests
{
    [Fact]
    public Task A_store_that_keeps_the_contract_passes() => RunAsync(Flaw.None);

    [Theory]
    [InlineData(Flaw.CommitsWithinAppend, "Each record is committed by itself, in order, and never from within Append")]
    [InlineData(Flaw.CommitsBeforeItKeeps, "What is committed survives the process")]
    [InlineData(Flaw.SkipsCommits, "Disposing commits what was appended, and no event comes after it")]
    [InlineData(Flaw.ReusesNumbers, "No number is given again after the store was opened again")]
    [InlineData(Flaw.KeepsTheMemory, "Append copies what it is given")]
    [InlineData(Flaw.LosesTheSecondPart, "A payload in two parts comes back as one")]
    [InlineData(Flaw.ForgetsTheLast, "Disposing commits what was appended, and no event comes after it")]
    [InlineData(Flaw.OpensTwice, "A store that is open cannot be opened a second time")]
    [InlineData(Flaw.DropsTooMuch, "Obsolete takes nothing that is newer, and the oldest first")]
    [InlineData(Flaw.DropsTooEarly, "What is obsolete stays until what was appended in its place is committed")]
    [InlineData(Flaw.StaysLocked, "What recovery throws ends the opening and leaves the store as it was")]
    [InlineData(Flaw.TwoEventsAtOnce, "Events come one at a time, also when many append")]
    public async Task A_store_that_breaks_a_rule_is_told_which(Flaw flaw, string rule)
    {
        var broken = await Assert.ThrowsAsync<SessionStoreConformanceException>(() => SessionStoreConformance.Rules.Single(one => one.Name == rule).CheckAsync(
            () => new PlainSessionStore(flaw), store => ((PlainSessionStore)store).AfterKill(), TestContext.Current.CancellationToken));

        Assert.Equal([rule], broken.BrokenRules);
        Assert.StartsWith($"\"{rule}\" is broken: ", broken.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_rules_that_are_broken_are_told_together()
    {
        var broken = await Assert.ThrowsAsync<SessionStoreConformanceException>(() => RunAsync(Flaw.LosesTheSecondPart));

        Assert.Equal(["A payload in two parts comes back as one", "Append copies what it is given"], broken.BrokenRules);
        Assert.StartsWith($"The store breaks 2 of {SessionStoreConformance.Rules.Count} rules:", broken.Message, StringComparison.Ordinal);
    }

    [Fact]
    public Task A_rule_can_be_tried_alone() => SessionStoreConformance.Rules.Single(rule => rule.Name == "Append copies what it is given").CheckAsync(
        () => new PlainSessionStore(Flaw.OpensTwice), cancellationToken: TestContext.Current.CancellationToken);

    [Fact]
    public void Each_rule_has_a_name_of_its_own() => Assert.Equal(SessionStoreConformance.Rules.Count, SessionStoreConformance.Rules.Select(rule => rule.Name).Distinct().Count());

    private static Task RunAsync(Flaw flaw) => SessionStoreConformance.RunAsync(
        () => new PlainSessionStore(flaw), store => ((PlainSessionStore)store).AfterKill(), TestContext.Current.CancellationToken);
}
