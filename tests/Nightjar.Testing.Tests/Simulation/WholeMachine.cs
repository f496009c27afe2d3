using Xunit;

namespace Nightjar.Testing.Tests.Simulation;

/// <summary>Tests that keep every processor busy run after the others, one at a time: those others have deadlines.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class WholeMachine
{
    public const string Name = "whole machine";
}
