using System.Reflection;

namespace Nightjar.Architecture.Tests;

/// <summary>The files that people write, as the repository has them.</summary>
internal static class Repository
{
    private static readonly string[] SourceFolders = ["src", "tests", "bench", "samples"];

    public static string Root { get; } = typeof(Repository).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "RepositoryRoot").Value!;

    /// <summary>Every C# file, relative to the root, with forward slashes.</summary>
    public static IReadOnlyList<string> SourceFiles { get; } =
    [
        .. SourceFolders
            .Select(folder => Path.Combine(Root, folder))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Where(file => !file.Split('/').Any(part => part is "bin" or "obj"))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The text of a file, with the line ends of the repository whatever the checkout made of them.</summary>
    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file)).ReplaceLineEndings("\n");
}
