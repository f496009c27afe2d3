using Nightjar;

namespace Guides;

/// <summary>The samples of docs/reconnecting.md.</summary>
internal static class Reconnecting
{
    public static async Task RunAsServiceAsync(MqttClientOptions options, CancellationToken stopping)
    {
        options.Reconnect.FirstConnect = FirstConnect.KeepTrying;
        options.Reconnect.PermanentFailures = PermanentFailures.GiveUp;
        await using var client = new MqttClient(options);
        client.On("home/+/temperature", message => Console.WriteLine($"{message.Topic} {message.Text}"));

        await client.RunAsync(stopping); // returns when the token is cancelled, throws when the client gives up
    }

    public static MqttClientOptions SeveralServers(string firstPassword, string secondPassword)
    {
        var options = new MqttClientOptions
        {
            Servers =
            {
                new MqttServer("mqtts://one.example") { Credentials = new MqttCredentials("device-17", firstPassword) },
                new MqttServer("mqtts://two.example") { Credentials = new MqttCredentials("device-17", secondPassword) },
            },
        };
        options.Reconnect.MaximumDelay = TimeSpan.FromSeconds(4); // on to the next server after 1, 2 and 4 s, less what is left to chance
        options.Reconnect.FailBackAfter = TimeSpan.FromMinutes(10);
        return options;
    }

    public static void ChoosePolicy(MqttClientOptions options)
    {
        options.Reconnect.Policy = ReconnectPolicy.From(failure => failure.Class switch
        {
            FailureClass.CredentialsRejected => null, // no more
            FailureClass.Permanent => TimeSpan.FromMinutes(10),
            _ => TimeSpan.FromSeconds(Math.Min(failure.Number, 30)),
        });
    }

    public static void BringFreshToken(MqttClientOptions options, Tokens tokens)
    {
        options.Connection.BeforeConnect = async (attempt, cancellation) =>
        {
            var token = await tokens.GetAsync(renew: attempt.MustRenewCredentials, cancellation);
            attempt.Credentials = new MqttCredentials("device-17", token);
        };
    }

    public static void WaitUntilReady(MqttClientOptions options, Clock clock)
    {
        options.Connection.ReadinessGate = clock.WhenSetAsync; // certificates cannot be verified in 1970
    }

    public static void ConnectAtNight(MqttClientOptions options)
    {
        options.Connection.Schedule = ConnectionSchedule.Daily(
            new TimeOnly(2, 0), new TimeOnly(4, 0), TimeZoneInfo.Local, jitter: TimeSpan.FromMinutes(10));
    }

    public static void ConnectOnDemand(MqttClientOptions options)
    {
        options.Connection.IdleTimeout = TimeSpan.FromMinutes(2);
    }

    public static void FindDeadLinksSoon(MqttClientOptions options)
    {
        options.KeepAlive = TimeSpan.FromSeconds(20); // found after 25 s of silence
        options.Servers[0].Tcp.UserTimeout = TimeSpan.FromSeconds(15); // or after 15 s with bytes that nobody acknowledges
    }

    public static async Task ChangePasswordAsync(MqttClient client, MqttClientOptions options, string password)
    {
        options.Servers[0].Credentials = new MqttCredentials("device-17", password);
        await client.UpdateOptionsAsync(options); // the same object that the client was made with, or another
        await client.WhenConnectedAsync();
    }

    public static async Task TellAsync(MqttClient client, Action<string> tell, CancellationToken stopping)
    {
        await foreach (var happened in client.Events.WithCancellation(stopping))
        {
            switch (happened)
            {
                case ClientEvent.Connected connected:
                    tell($"connected; the session is {(connected.Result.SessionPresent ? "the one of before" : "new")}");
                    break;
                case ClientEvent.Disconnected { Error: not null } lost:
                    tell($"lost ({lost.Cause}): {lost.Reason}");
                    break;
                case ClientEvent.ConnectFailed failed:
                    tell($"failed ({failed.Class}), next attempt in {failed.NextAttemptIn}: {failed.Error.Message}");
                    break;
            }
        }
    }

    public static async Task PublishWithinAsync(MqttClient client, TimeSpan patience, Action<string> tell)
    {
        using var patient = new CancellationTokenSource(patience);
        try
        {
            var result = await client.PublishAsync("home/door", "open", QoS.ExactlyOnce, cancellationToken: patient.Token);
            if (result.Flags.HasFlag(PublishFlags.PossiblyDuplicated))
            {
                tell("the server lost its session on the way: the message may have arrived twice");
            }
        }
        catch (OperationCanceledException)
        {
            tell("not acknowledged in time; if it was not sent yet, it never will be");
        }
    }
}

/// <summary>Stands for whatever gives out tokens.</summary>
internal sealed class Tokens
{
    private int _version = 1;

    public ValueTask<string> GetAsync(bool renew, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        return ValueTask.FromResult($"token {(renew ? ++_version : _version)}");
    }
}

/// <summary>Stands for the clock of a device without a battery.</summary>
internal sealed class Clock
{
    private readonly TaskCompletionSource _set = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Set() => _set.TrySetResult();

    public ValueTask WhenSetAsync(CancellationToken cancellation) => new(_set.Task.WaitAsync(cancellation));
}
