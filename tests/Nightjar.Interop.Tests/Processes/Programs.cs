namespace Nightjar.Interop.Tests.Processes;

internal static class Programs
{
    /// <summary>Whether all of these are on the path.</summary>
    public static bool AreInstalled(params string[] names) =>
        Array.TrueForAll(names, name => (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
            .Split(Path.PathSeparator)
            .Any(folder => File.Exists(Path.Combine(folder, name))));
}
