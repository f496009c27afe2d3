using System.Globalization;
using Nightjar.Interop.Tests.Mosquitto;
using Nightjar.Interop.Tests.Processes;

namespace Nightjar.Interop.Tests;

/// <summary>A pair of programs, one that publishes and one that subscribes. They share their flags, so a test can swap them.</summary>
internal sealed class CommandLineClient
{
    private readonly string _name;
    private readonly string[] _publish;
    private readonly string[] _subscribe;

    private CommandLineClient(string name, string[] publish, string[] subscribe)
    {
        _name = name;
        _publish = publish;
        _subscribe = subscribe;
    }

    public static CommandLineClient Nightjar { get; } = new("nightjar", [NightjarFile, "pub"], [NightjarFile, "sub"]);

    public static CommandLineClient Mosquitto { get; } = new("mosquitto", ["mosquitto_pub"], ["mosquitto_sub"]);

    /// <summary>The tool: the published file that <c>./test</c> names, else what was built with these tests.</summary>
    public static string NightjarFile =>
        Environment.GetEnvironmentVariable("NIGHTJAR_TOOL") ?? Path.Combine(AppContext.BaseDirectory, "Nightjar.Cli");

    public static CommandLineClient Named(string name) => name == Nightjar._name ? Nightjar : Mosquitto;

    /// <summary>Publishes and ends.</summary>
    /// <param name="broker">Gives host and port.</param>
    /// <param name="arguments">All other flags.</param>
    /// <param name="input">For <c>-l</c> and <c>-s</c>.</param>
    public Task<Exit> PublishAsync(MosquittoBroker broker, string[] arguments, string input = "") =>
        PublishAsync([.. At(broker), .. arguments], input);

    /// <summary>Publishes to a place that the arguments name.</summary>
    public Task<Exit> PublishAsync(string[] arguments, string input = "") =>
        ChildProcess.RunAsync(_publish[0], [.. _publish[1..], .. arguments], input);

    /// <summary>Starts a subscriber and returns when the broker has answered its subscription.</summary>
    public async Task<ChildProcess> SubscribeAsync(MosquittoBroker broker, string clientId, params string[] arguments)
    {
        var subscriber = StartSubscriber([.. At(broker), "-i", clientId, .. arguments]);
        try
        {
            await broker.SubscribedAsync(clientId);
            return subscriber;
        }
        catch (TimeoutException exception)
        {
            await using (subscriber)
            {
                throw new TimeoutException($"{_name} did not subscribe: {subscriber.Errors}", exception);
            }
        }
    }

    /// <summary>Starts a subscriber that the arguments describe wholly.</summary>
    public ChildProcess StartSubscriber(params string[] arguments) =>
        ChildProcess.Start(_subscribe[0], [.. _subscribe[1..], .. arguments]);

    /// <summary>The flags that say where the broker is.</summary>
    public static string[] At(MosquittoBroker broker) => ["-h", broker.Host, "-p", broker.Port.ToString(CultureInfo.InvariantCulture)];
}
