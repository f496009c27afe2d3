using System.Reflection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Nightjar.Architecture.Tests;

public sealed class LogEventTests
{
    private static readonly LoggerMessageAttribute[] Events =
    [
        .. new[] { typeof(MqttClient).Assembly, Assembly.Load("Nightjar.Testing"), Assembly.Load("Nightjar.Cli") }
            .SelectMany(assembly => assembly.GetTypes())
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
            .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>())
            .OfType<LoggerMessageAttribute>(),
    ];

    [Fact]
    public void Every_log_event_has_an_id_of_its_own()
    {
        Assert.All(Events, entry => Assert.True(entry.EventId > 0, $"No event id: {entry.Message}"));
        Assert.Empty(Events.GroupBy(entry => entry.EventId).Where(same => same.Count() > 1).Select(same => same.Key));
    }
}
