using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Nightjar.Architecture.Tests;

/// <summary>What the metadata of a built assembly says about whom it leans on.</summary>
internal sealed class BuiltAssembly : IDisposable
{
    private readonly PEReader _file;
    private readonly MetadataReader _metadata;

    private BuiltAssembly(string path)
    {
        _file = new PEReader(File.OpenRead(path));
        _metadata = _file.GetMetadataReader();
        Name = _metadata.GetString(_metadata.GetAssemblyDefinition().Name);
    }

    public string Name { get; }

    /// <summary>Opens an assembly from beside this test.</summary>
    public static BuiltAssembly Open(string name) => new(Path.Combine(AppContext.BaseDirectory, name + ".dll"));

    /// <summary>The assemblies it refers to, except those that come with the runtime.</summary>
    public IReadOnlyList<string> References() =>
    [
        .. _metadata.AssemblyReferences
            .Select(handle => _metadata.GetString(_metadata.GetAssemblyReference(handle).Name))
            .Where(name => !ComesWithTheRuntime(name))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The types of other assemblies that its code names, as <c>Namespace.Type</c>.</summary>
    public IReadOnlySet<string> Types() => _metadata.TypeReferences.Select(FullName).ToHashSet();

    /// <summary>The members of other assemblies that its code names, as <c>Namespace.Type.Member</c>.</summary>
    public IReadOnlySet<string> Members() =>
        _metadata.MemberReferences
            .Select(handle => _metadata.GetMemberReference(handle))
            .Where(member => member.Parent.Kind == HandleKind.TypeReference)
            .Select(member => $"{FullName((TypeReferenceHandle)member.Parent)}.{_metadata.GetString(member.Name)}")
            .ToHashSet();

    public void Dispose() => _file.Dispose();

    private static bool ComesWithTheRuntime(string assembly)
    {
        var runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        return File.Exists(Path.Combine(runtime, assembly + ".dll"));
    }

    private string FullName(TypeReferenceHandle handle)
    {
        var type = _metadata.GetTypeReference(handle);
        var name = _metadata.GetString(type.Name);
        return type.ResolutionScope.Kind == HandleKind.TypeReference
            ? $"{FullName((TypeReferenceHandle)type.ResolutionScope)}.{name}"
            : $"{_metadata.GetString(type.Namespace)}.{name}";
    }
}
