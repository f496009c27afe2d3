using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Nightjar.Tests.Connection;

/// <summary>Passwords, payloads of wills and messages reach no log, no event, no exception and no text of an object.</summary>
public sealed class SecretTests
{
    private const string Password = "hunter2-the-secret";

    [Fact]
    public async Task A_password_is_told_to_nobody_but_the_server()
    {
        await using var broker = InMemory.Broker(options => options.Users["alice"] = "another");
        var logs = new LogCollector();
        var options = InMemory.Options(broker);
        options.Servers[0].Credentials = new MqttCredentials("alice", Password);
        options.Will = new WillMessage { Topic = "will", Payload = System.Text.Encoding.UTF8.GetBytes(Password) };
        options.LoggerFactory = logs;
        options.Reconnect.FirstConnect = FirstConnect.SingleAttempt;
        var client = new MqttClient(options);
        await using var events = new EventReader(client);

        var error = await Assert.ThrowsAsync<MqttConnectException>(() => client.ConnectAsync().Soon());
        var publish = await Assert.ThrowsAsync<MqttConnectException>(() => client.PublishAsync("t", Password).Soon());
        var texts = new List<string> { $"{options}", $"{client.Status}", $"{error}", $"{publish}", $"{options.Servers[0]}", $"{options.Servers[0].Credentials}" };
        await client.DisposeAsync().Soon();
        texts.AddRange((await events.ToEndAsync()).Select(happened => $"{happened}"));
        texts.AddRange(logs.Lines);

        Assert.NotEmpty(logs.Lines);
        Assert.All(texts, text => Assert.DoesNotContain(Password, text, StringComparison.Ordinal));
    }

    private sealed class LogCollector : ILoggerFactory, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{eventId.Id} {formatter(state, exception)} {exception}");
    }
}
