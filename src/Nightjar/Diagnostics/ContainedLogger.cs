using Microsoft.Extensions.Logging;

namespace Nightjar.Diagnostics;

/// <summary>
/// The application's logger, whatever it throws: a disk that is full must not take along the timer, the loop or the handler's pump that had something to say. Who logs about a
/// logger that fails is nobody.
/// </summary>
internal sealed class ContainedLogger(ILogger inner) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel)
    {
        try
        {
            return inner.IsEnabled(logLevel);
        }
        catch (Exception)
        {
            return false;
        }
    }

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        try
        {
            inner.Log(logLevel, eventId, state, exception, formatter);
        }
        catch (Exception)
        {
            // The entry is lost, and nothing else.
        }
    }
}
