using Nightjar.Storage;
using Xunit;

namespace Nightjar.Tests.Storage;

/// <summary>The switch is the whole process's, so nothing else runs meanwhile.</summary>
[CollectionDefinition(nameof(FileStoreFeatureTests), DisableParallelization = true)]
public sealed class FileStoreFeatureCollection;

[Collection(nameof(FileStoreFeatureTests))]
public sealed class FileStoreFeatureTests : IDisposable
{
    public void Dispose() => AppContext.SetSwitch(FileStoreFeature.Switch, isEnabled: true);

    [Fact]
    public void Switched_off_it_is_refused_with_the_name_of_the_switch()
    {
        AppContext.SetSwitch("Nightjar.FileStore", isEnabled: false);

        var error = Assert.Throws<NotSupportedException>(() => new FileSessionStore("session"));

        Assert.Contains("Nightjar.FileStore", error.Message, StringComparison.Ordinal);
        Assert.NotNull(new MemorySessionStore());
    }

    [Fact]
    public void It_is_on_unless_switched_off() => Assert.NotNull(new FileSessionStore("session"));
}
