namespace Nightjar;

/// <summary>The rules of what happens between connections.</summary>
internal static class SupervisionRules
{
    public static void Check(ReconnectOptions reconnect, int servers, OptionConflicts conflicts)
    {
        conflicts.Require(reconnect.Jitter is >= 0 and <= 1, $"Reconnect.Jitter is {reconnect.Jitter}; it must be from 0 to 1.");
        conflicts.Defined("Reconnect.PermanentFailures", reconnect.PermanentFailures);
        conflicts.Defined("Reconnect.Takeover", reconnect.Takeover);
        conflicts.Defined("Reconnect.ServerOrder", reconnect.ServerOrder);
        conflicts.OptionalTimer("Reconnect.FailBackAfter", reconnect.FailBackAfter);
        conflicts.Require(
            reconnect.FailBackAfter is null || servers != 1 || reconnect.AllowedRedirects.Count > 0,
            "Reconnect.FailBackAfter is set, and there is one server and no other to come back from; add to Servers or to Reconnect.AllowedRedirects, or leave it null.");
        conflicts.Require(
            reconnect.Enabled || reconnect.FirstConnect != FirstConnect.SingleAttempt || reconnect.Policy is null or ReconnectPolicy.NoReconnecting,
            "Reconnect.Policy is set, and with Enabled false and FirstConnect SingleAttempt there is never a second attempt for it to time; leave Policy null, or change one of the two.");
        if (reconnect.Policy is ReconnectPolicy.ListedDelays list)
        {
            foreach (var (index, delay) in list.Listed.Index())
            {
                conflicts.Timer($"Reconnect.Policy: delay {index}", delay, orZero: true);
            }
        }

        foreach (var (index, host) in reconnect.AllowedRedirects.Index())
        {
            conflicts.Require(
                Protocol.Engine.ServerReference.IsPattern(host),
                $"Reconnect.AllowedRedirects[{index}] is no host; write host, host:port, [address]:port or *.domain.");
        }
    }

    public static void Check(ConnectionOptions? connection, OptionConflicts conflicts)
    {
        conflicts.NotNull("Connection", connection);
        if (connection is not null)
        {
            conflicts.OptionalTimer("Connection.MaximumAge", connection.MaximumAge);
            conflicts.OptionalTimer("Connection.IdleTimeout", connection.IdleTimeout);
            conflicts.Timer("Connection.Schedule.Jitter", connection.Schedule?.Jitter ?? TimeSpan.Zero, orZero: true);
        }
    }

    public static void Check(string name, MqttServer server, MqttVersion version, OptionConflicts conflicts)
    {
        conflicts.Utf8($"{name}.ClientId", server.ClientId);
        if (version == MqttVersion.Mqtt31 && server.ClientId is { } clientId)
        {
            conflicts.Require(clientId.Length is > 0 and <= 23, $"{name}.ClientId has {clientId.Length} characters; MQTT 3.1 wants 1 to 23.");
        }

        if (server.Session is { } session)
        {
            conflicts.Seconds($"{name}.Session.ExpiryInterval", session.ExpiryInterval, orForever: true);
            conflicts.Require(session.Store is null, $"{name}.Session.Store is set; a client has one store for all of its servers. Set Session.Store of the client instead.");
        }
    }
}
