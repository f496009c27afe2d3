namespace Nightjar.Interop.Tests;

internal sealed class TemporaryDirectory : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("nightjar-");

    public string Path => _directory.FullName;

    public void Dispose() => _directory.Delete(recursive: true);
}
