using Nightjar.Diagnostics;
using Nightjar.Protocol.Engine;

namespace Nightjar.Connection;

/// <summary>What the application does before an attempt: it waits until one makes sense, and may change it.</summary>
internal static class AttemptPreparation
{
    /// <summary>
    /// The server and the CONNECT of this attempt; null: as the engine has them. Throws <see cref="MqttConnectException"/> for what the application's code does, and lets the cancelled
    /// token through.
    /// </summary>
    public static async Task<ServerSettings?> PrepareAsync(MqttClientOptions options, EngineOutput.Dial dial, string clientId, CancellationToken cancellationToken)
    {
        try
        {
            if (options.Connection.ReadinessGate is { } gate)
            {
                await gate(cancellationToken).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
            }

            if (options.Connection.BeforeConnect is not { } before)
            {
                return null;
            }

            var attempt = Describe(options, dial, clientId);
            await before(attempt, cancellationToken).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
            return Take(options, attempt, dial, clientId);
        }
        catch (Exception error) when (!(error is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            // Options that cannot work do not get better by themselves; whatever else went wrong may.
            throw new MqttConnectException($"Cannot connect to {dial.Target.Name}: preparing the attempt failed: {OneLine.Of(error)}", ConnectStage.Preparation, error)
            {
                IsTransient = error is not ArgumentException,
            };
        }
    }

    /// <summary>The server that an attempt is for, as a transport needs it.</summary>
    public static MqttServer ServerOf(ServerSettings target)
    {
        var server = (MqttServer)target.Tag!;
        return server.OpenStream is not null || (server.Host == target.Host && server.Port == target.Port && server.UsesTls == target.UsesTls)
            ? server
            : server.At(target.Host, target.Port, target.UsesTls, otherHost: target.IsReferred);
    }

    private static ConnectAttempt Describe(MqttClientOptions options, EngineOutput.Dial dial, string clientId) => new(ServerOf(dial.Target).Snapshot())
    {
        Number = dial.Number,
        LastError = dial.LastFailure is { } failure ? Failure.ToConnectException(failure, dial.Target.Name) : null,
        LastFailure = dial.LastFailure?.Class,
        MustRenewCredentials = dial.RenewCredentials,
        ClientId = clientId,
        Will = options.Will,
        KeepAlive = options.KeepAlive,
        UserProperties = [.. options.UserProperties],
    };

    private static ServerSettings Take(MqttClientOptions options, ConnectAttempt attempt, EngineOutput.Dial dial, string clientId)
    {
        var changed = new MqttClientOptions
        {
            Servers = { attempt.Server },
            Version = options.Version,
            ClientId = attempt.ClientId == clientId ? dial.Target.Connect.ClientId : attempt.ClientId,
            KeepAlive = attempt.KeepAlive,
            Will = attempt.Will,
            Session = options.Session,
            Requests = options.Requests,
        };
        foreach (var property in attempt.UserProperties)
        {
            changed.UserProperties.Add(property);
        }

        changed = changed.Snapshot();
        var server = changed.Servers[0];
        server.ClientId = null;
        return EngineSettingsFactory.ToServer(changed, server, generatedId: "") with
        {
            ClientIdIsGenerated = attempt.ClientId == clientId && dial.Target.ClientIdIsGenerated,
        };
    }
}
