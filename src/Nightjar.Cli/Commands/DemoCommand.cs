using System.Globalization;
using System.Text;
using Nightjar.Cli.CommandLine;
using Nightjar.Testing;

namespace Nightjar.Cli.Commands;

/// <summary>
/// <c>nightjar demo</c>: a publisher with the temperatures of a few rooms and a subscriber that prints them, each with a client of its own, so that every line has been to
/// the broker and back.
/// </summary>
internal sealed class DemoCommand(DemoSettings settings, Invocation invocation, Diagnostics diagnostics)
{
    private const int Rounds = 4;

    private static readonly (string Name, double Temperature)[] Rooms = [("kitchen", 21.5), ("bedroom", 18.2), ("greenhouse", 26.9)];

    /// <summary>Between two readings; with twelve of them the whole takes three seconds.</summary>
    public TimeSpan Pace { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Shows it and returns the exit code. Throws what the clients throw.</summary>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        await using var broker = settings.NamesServer ? null : new MqttTestBroker(new MqttTestBrokerOptions { TimeProvider = invocation.Clock });
        var server = broker?.Uri ?? $"{settings.Host}:{settings.Port}";
        await SayAsync(broker is null ? $"The broker is {server}." : $"A small broker runs inside this process, at {server}.", stop);

        await using var subscriber = Create(broker);
        await using var publisher = Create(broker);
        _ = ConnectedVerb.ReportAsync(publisher, settings, diagnostics);
        var filter = $"{settings.Prefix}/+/temperature";
        var readings = subscriber.Subscribe(filter);
        await subscriber.ConnectAsync(stop);
        await readings.Granted.WaitAsync(stop);
        await SayAsync($"A subscriber asked for {filter}. A publisher measures:{Environment.NewLine}", stop);

        var printing = PrintAsync(readings, stop);
        for (var reading = 0; reading < Rounds * Rooms.Length; reading++)
        {
            var (room, temperature) = Rooms[reading % Rooms.Length];
            var measured = temperature + (invocation.Random.NextDouble() - 0.5);
            await publisher.PublishAsync(
                $"{settings.Prefix}/{room}/temperature", measured.ToString("0.0", CultureInfo.InvariantCulture), QoS.AtLeastOnce, cancellationToken: stop);
            await Task.Delay(Pace, invocation.Clock, stop);
        }

        var received = await printing;
        await SayAsync($"{Environment.NewLine}{Rounds * Rooms.Length} readings published and acknowledged, {received} received.", stop);
        await SayAsync(
            broker is null
                ? $"Next: nightjar sub -h {settings.Host} -t '#' -v"
                : "Next: nightjar broker, then nightjar sub -t '#' -v, then nightjar pub -t hello -m world, each in a terminal of its own.",
            stop);
        return ExitCode.Success;
    }

    private MqttClient Create(MqttTestBroker? broker)
    {
        if (broker is null)
        {
            return ConnectedVerb.Create(settings, invocation, diagnostics);
        }

        var options = new MqttClientOptions(broker.Uri) { TimeProvider = invocation.Clock };
        return new MqttClient(options);
    }

    private async Task<int> PrintAsync(Subscription readings, CancellationToken stop)
    {
        var received = 0;
        await foreach (var message in readings.WithCancellation(stop))
        {
            await SayAsync($"  {message.Topic.Split('/')[^2],-12} {message.Text,5} °C", stop);
            if (++received == Rounds * Rooms.Length)
            {
                await readings.AcknowledgeAsync();
                break;
            }
        }

        return received;
    }

    private async Task SayAsync(string line, CancellationToken stop)
    {
        await invocation.Output.WriteAsync(Encoding.UTF8.GetBytes(line + Environment.NewLine), stop);
        await invocation.Output.FlushAsync(stop);
    }
}
