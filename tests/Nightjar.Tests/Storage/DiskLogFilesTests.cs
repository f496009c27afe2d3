using System.Runtime.Versioning;
using Xunit;

namespace Nightjar.Tests.Storage;

/// <summary>The log on a real disk.</summary>
public sealed class DiskLogFilesTests : IDisposable
{
    private readonly DirectoryInfo _parent = Directory.CreateTempSubdirectory("nightjar-");

    private string Log => Path.Combine(_parent.FullName, "log");

    public void Dispose() => _parent.Delete(recursive: true);

    [Fact]
    public async Task Records_come_back_from_the_disk()
    {
        var owner = new LogOwner();
        await using (var log = await OpenAsync(owner))
        {
            for (var i = 0; i < 2000; i++)
            {
                log.Append(1, BitConverter.GetBytes(i), new byte[100]);
            }
        }

        var found = new LogOwner();
        await (await OpenAsync(found)).DisposeAsync();

        Assert.Empty(owner.Failures);
        Assert.Equal(Enumerable.Range(0, 2000), found.Records.Select(record => BitConverter.ToInt32(record.Payload)));
    }

    [Fact]
    public async Task A_directory_belongs_to_one_log_at_a_time()
    {
        var first = await OpenAsync(new LogOwner());
        var error = await Assert.ThrowsAsync<StorageException>(() => OpenAsync(new LogOwner()));
        Assert.Equal(StorageFailureKind.InUse, error.Kind);
        Assert.Contains("one process at a time", error.Message, StringComparison.Ordinal);

        await first.DisposeAsync();
        await (await OpenAsync(new LogOwner())).DisposeAsync();
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task Directory_and_files_are_for_this_user_alone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no modes");
        await using (var log = await OpenAsync(new LogOwner()))
        {
            log.Append(1, [1]);
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Log));
        Assert.Equal(2, Directory.GetFiles(Log).Length);
        Assert.All(Directory.GetFiles(Log), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    [Theory]
    [InlineData("", UnixFileMode.OtherWrite)]
    [InlineData("", UnixFileMode.GroupWrite)]
    [InlineData("store", UnixFileMode.OtherWrite)]
    [InlineData("0000000000000001.log", UnixFileMode.GroupWrite)]
    [UnsupportedOSPlatform("windows")]
    public async Task What_others_may_write_is_refused(string name, UnixFileMode right)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no modes");
        await using (var log = await OpenAsync(new LogOwner()))
        {
            log.Append(1, [1]);
        }

        var path = Path.Combine(Log, name);
        File.SetUnixFileMode(path, File.GetUnixFileMode(path) | right);

        var error = await Assert.ThrowsAsync<StorageException>(() => OpenAsync(new LogOwner()));

        Assert.Equal(StorageFailureKind.Unsafe, error.Kind);
        Assert.Contains("chmod go-w", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_is_known_by_the_number_that_the_system_gives()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs /dev/full");
        await using var full = new FileStream("/dev/full", new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Write, BufferSize = 0 });

        var error = await Assert.ThrowsAnyAsync<IOException>(async () => await full.WriteAsync(new byte[1]));

        Assert.Equal(StorageFailureKind.DiskFull, StorageException.From("write", null, error).Kind);
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public async Task A_directory_that_we_may_not_write_to_is_refused_with_its_path_and_what_to_do()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no modes");

        // Root may write anywhere but here, where the kernel itself says no.
        var denied = Environment.IsPrivilegedProcess && OperatingSystem.IsLinux() ? "/sys/nightjar" : Log;
        if (denied == Log)
        {
            Directory.CreateDirectory(Log, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        var owner = new LogOwner();
        var error = await Assert.ThrowsAsync<StorageException>(() => new FileSessionStore(denied).OpenAsync(owner, owner, TestContext.Current.CancellationToken).AsTask());

        Assert.Equal(StorageFailureKind.Denied, error.Kind);
        Assert.Equal(denied, error.Path);
        Assert.Contains($"Could not open the session store in {denied}", error.Message, StringComparison.Ordinal);
        Assert.Contains("Change its owner or mode", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_path_that_cannot_be_a_directory_is_refused_with_what_the_system_said()
    {
        await File.WriteAllTextAsync(Log, "a file", TestContext.Current.CancellationToken);

        var error = await Assert.ThrowsAsync<StorageException>(() => OpenAsync(new LogOwner()));

        Assert.Contains($"Could not open the session store in {Log}: ", error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.InnerException);
    }

    private Task<ISessionLog> OpenAsync(LogOwner owner) =>
        new FileSessionStore(Log, new FileSessionStoreOptions { Durability = Durability.EveryMessage, SegmentSize = 64 * 1024 }).OpenAsync(owner, owner, TestContext.Current.CancellationToken).AsTask();
}
