namespace Nightjar.Cli;

/// <summary>One run of the tool as its surroundings give it: streams, variables, clock. Tests give others.</summary>
internal sealed class Invocation
{
    /// <summary>Standard input.</summary>
    public required Stream Input { get; init; }

    /// <summary>Standard output: data, and nothing else.</summary>
    public required Stream Output { get; init; }

    /// <summary>Standard error; a synchronized writer.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Whether a person looks at the output, so that control characters must be made visible.</summary>
    public bool OutputIsTerminal { get; init; }

    /// <summary>Reads an environment variable; null if it is not set.</summary>
    public Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public Random Random { get; init; } = Random.Shared;
}
