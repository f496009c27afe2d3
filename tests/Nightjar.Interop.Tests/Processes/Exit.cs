namespace Nightjar.Interop.Tests.Processes;

/// <summary>How a program ended and all that it said.</summary>
internal sealed record Exit(int Code, string Output, string Errors)
{
    public override string ToString() => $"exit code {Code}\nstdout:\n{Output}\nstderr:\n{Errors}";
}
