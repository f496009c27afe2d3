namespace Nightjar.Tests.Supervision;

/// <summary>Tasks of which a test does not ask how they end.</summary>
internal static class Settling
{
    /// <summary>Waits for the end, whatever the client says.</summary>
    public static async Task Settled(this Task task)
    {
        try
        {
            await task.Soon();
        }
        catch (Exception error) when (error is MqttException or ObjectDisposedException)
        {
            // That is an end too.
        }
    }

    /// <summary>Nobody waits; a failure is no unobserved exception.</summary>
    public static void Unwatched(this Task task) => _ = task.ContinueWith(ended => ended.Exception, TaskScheduler.Default);
}
