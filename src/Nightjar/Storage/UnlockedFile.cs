using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Nightjar.Storage;

/// <summary>
/// Opens a file to look at it while another process has it locked. The base class library locks whatever it opens, and so would fail, or keep the owner of the log out; this asks the C library where there is one.
/// </summary>
internal static class UnlockedFile
{
    private const int NotAllowed = 1;
    private const int NoSuchFile = 2;
    private const int NoAccess = 13;

    public static SafeFileHandle Open(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
        }

        var closeOnExec = OperatingSystem.IsMacOS() ? 0x100_0000 : 0x8_0000;
        var descriptor = OpenFile(Encoding.UTF8.GetBytes(path + '\0'), closeOnExec);
        if (descriptor >= 0)
        {
            return new SafeFileHandle(descriptor, ownsHandle: true);
        }

        var number = Marshal.GetLastPInvokeError();
        var message = Marshal.GetPInvokeErrorMessage(number);
        throw number switch
        {
            NoSuchFile => new FileNotFoundException(message, path),
            NotAllowed or NoAccess => new UnauthorizedAccessException(message),
            _ => new IOException(message, number),
        };
    }

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int OpenFile(byte[] path, int flags);
}
