using System.Net.NetworkInformation;

namespace Nightjar;

/// <summary>
/// Says that the network changed: an address came, an interface went up. Clients listen only while they wait for their next attempt. <see cref="OperatingSystem"/> is the
/// operating system's; derive from it for a modem that only you know of.
/// </summary>
public abstract class NetworkChangeSource
{
    /// <summary>The operating system's, as <see cref="NetworkChange"/> tells it; nothing where it tells nothing.</summary>
    public static NetworkChangeSource OperatingSystem { get; } = new OperatingSystemSource();

    /// <summary>Calls <paramref name="changed"/> on each change, from any thread, until the result is disposed.</summary>
    public abstract IDisposable Watch(Action changed);

    private sealed class OperatingSystemSource : NetworkChangeSource
    {
        public override IDisposable Watch(Action changed) => new Listening(changed);
    }

    private sealed class Listening : IDisposable
    {
        private readonly NetworkAddressChangedEventHandler _handler;

        public Listening(Action changed)
        {
            _handler = (_, _) => changed();
            try
            {
                NetworkChange.NetworkAddressChanged += _handler;
            }
            catch (Exception e) when (e is PlatformNotSupportedException or NetworkInformationException)
            {
                // Waits are not cut short here; they end all the same.
            }
        }

        public void Dispose()
        {
            try
            {
                NetworkChange.NetworkAddressChanged -= _handler;
            }
            catch (Exception e) when (e is PlatformNotSupportedException or NetworkInformationException)
            {
                // It never began.
            }
        }
    }
}
