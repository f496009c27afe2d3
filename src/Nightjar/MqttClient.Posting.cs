namespace Nightjar;

// Work of the application's own, in turn with its handlers.
public sealed partial class MqttClient
{
    /// <summary>
    /// Runs work where handlers run, in the order of posting. With <see cref="HandlerContext.Serial"/> it never runs beside a handler: it begins when the handlers and the work before it have
    /// ended, or await something. On a scheduler of yours that is up to the scheduler. With <see cref="HandlerContext.Parallel"/> what is posted is serial among itself, and
    /// runs beside handlers. The task ends with the work, and faults with its exception. May be called from anywhere, handlers included.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The client is closed.</exception>
    public Task PostAsync(Func<ValueTask> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        return _host.PostAsync(work);
    }

    /// <inheritdoc cref="PostAsync(Func{ValueTask})"/>
    public Task PostAsync(Action work)
    {
        ArgumentNullException.ThrowIfNull(work);
        return _host.PostAsync(() =>
        {
            work();
            return default;
        });
    }
}
