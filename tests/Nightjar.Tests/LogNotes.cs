using Microsoft.Extensions.Logging;

namespace Nightjar.Tests;

/// <summary>Keeps what is logged.</summary>
internal sealed class LogNotes : ILoggerFactory, ILogger
{
    private readonly List<(int Id, LogLevel Level, string Text)> _entries = [];

    public IReadOnlyList<(int Id, LogLevel Level, string Text)> Entries
    {
        get
        {
            lock (_entries)
            {
                return [.. _entries];
            }
        }
    }

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_entries)
        {
            _entries.Add((eventId.Id, logLevel, formatter(state, exception)));
        }
    }

    public void Dispose()
    {
    }
}
