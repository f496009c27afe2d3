namespace Nightjar.Architecture.Tests;

/// <summary>
/// What Nightjar.Protocol must not touch. It answers to bytes, to time and to random numbers that are handed to it, so that all of it
/// runs under virtual time, on one thread, without a socket.
/// </summary>
internal static class PurityRule
{
    private static readonly string[] ForbiddenNamespaces =
    [
        "Microsoft.Win32.",
        "System.Console",
        "System.Diagnostics.",
        "System.IO.",
        "System.Net.",
        "System.Security.Cryptography.",
        "System.Threading.",
        "System.TimeProvider",
        "System.Timers.",
    ];

    // They neither wait, nor measure, nor start anything.
    private static readonly string[] HarmlessTypes =
    [
        "System.Diagnostics.CodeAnalysis.",
        "System.Diagnostics.ConditionalAttribute",
        "System.Diagnostics.Debug",
        "System.Diagnostics.StackTraceHiddenAttribute",
        "System.Diagnostics.UnreachableException",
    ];

    // Members of types that are otherwise welcome.
    private static readonly string[] ForbiddenMembers =
    [
        "System.DateTime.get_Now",
        "System.DateTime.get_Today",
        "System.DateTime.get_UtcNow",
        "System.DateTimeOffset.get_Now",
        "System.DateTimeOffset.get_UtcNow",
        "System.Environment.get_TickCount",
        "System.Environment.get_TickCount64",
        "System.Guid.CreateVersion7",
        "System.Guid.NewGuid",
        "System.Random..ctor",
        "System.Random.get_Shared",
    ];

    public static IReadOnlyList<string> Violations(BuiltAssembly assembly) =>
    [
        .. assembly.Types().Where(type => StartsWithAny(type, ForbiddenNamespaces) && !StartsWithAny(type, HarmlessTypes)),
        .. assembly.Members().Intersect(ForbiddenMembers),
    ];

    private static bool StartsWithAny(string name, string[] prefixes) =>
        Array.Exists(prefixes, prefix => name.StartsWith(prefix, StringComparison.Ordinal));
}
