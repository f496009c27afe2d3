using System.Runtime.InteropServices;
using System.Text;

namespace Nightjar.Storage;

/// <summary>
/// Asks the system to put the names in a directory on the disk. The base class library opens no directories, so this calls the C library where there is one; Windows keeps names in its journal.
/// </summary>
internal static class DirectoryFlush
{
    public static void Flush(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var descriptor = Open(Encoding.UTF8.GetBytes(directory + '\0'), flags: 0);
        if (descriptor < 0)
        {
            throw Error();
        }

        var result = Synchronize(descriptor);
        var error = result < 0 ? Error() : null;
        _ = Close(descriptor);

        // EINVAL: a file system that has nothing to do for a directory.
        if (error is not null && error.HResult != 22)
        {
            throw error;
        }
    }

    private static IOException Error()
    {
        var number = Marshal.GetLastPInvokeError();
        return new IOException(Marshal.GetPInvokeErrorMessage(number), number);
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Synchronize(int descriptor);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Close(int descriptor);
}
