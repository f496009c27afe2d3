namespace Nightjar.Cli;

/// <summary>What the tool returns to the shell.</summary>
internal static class ExitCode
{
    public const int Success = 0;
    public const int Usage = 1;
    public const int CannotConnect = 2;
    public const int Tls = 3;
    public const int ConnectionLost = 4;
    public const int Refused = 5;
    public const int Protocol = 6;
    public const int Output = 7;

    /// <summary>The number is mosquitto_sub's (MOSQ_ERR_TIMEOUT).</summary>
    public const int TimedOut = 27;

    /// <summary>The number is that of sysexits.h (EX_TEMPFAIL): the work is not lost, and to be done later.</summary>
    public const int Stored = 75;

    /// <summary>128 and the number of SIGINT, as shells have it.</summary>
    public const int Interrupted = 130;

    /// <summary>128 and the number of SIGTERM.</summary>
    public const int Terminated = 143;

    /// <summary>The table for the help pages.</summary>
    public const string Table = """
          0        done: every message acknowledged, at QoS 0 handed to the system
          1-5      MQTT 3.1, 3.1.1: the broker refused the connection with this code
          128-162  MQTT 5: the broker refused the connection with this reason code
          27       -W expired
          75       --store: stored, and not delivered in time; the next run, or "nightjar session drain", delivers it
          1        the command line, or a file that it names, cannot be used
          2        no connection: name, network or time-out
          3        no connection: TLS
          4        the connection was lost
          5        a publish was refused, or every subscription
          6        the broker broke the protocol
          7        the standard output cannot be written
          130, 143 ended by Ctrl-C, by SIGTERM
        """;

    /// <summary>The code for a call that failed.</summary>
    /// <param name="version">The version that was asked for; null: 5.0, or what the broker knows.</param>
    public static int From(Exception error, MqttVersion? version) => error switch
    {
        MqttConnectException { ReasonCode: { } code } => FromConnAck(code, version),
        MqttConnectException { InnerException: MqttProtocolException } => Protocol,
        MqttConnectException { Stage: ConnectStage.Tls } => Tls,
        MqttConnectException => CannotConnect,
        MqttRefusedException or MqttLimitException => Refused,
        MqttProtocolException => Protocol,
        StorageException => Usage,
        MqttException => ConnectionLost,
        IOException => Output,
        OperationCanceledException => Interrupted,
        _ => Usage,
    };

    /// <summary>The CONNACK code as the broker sent it: 3.1 and 3.1.1 have five of their own, which <see cref="ReasonCode"/> reads as those of 5.0.</summary>
    public static int FromConnAck(ReasonCode code, MqttVersion? version) => version is MqttVersion.Mqtt31 or MqttVersion.Mqtt311
        ? code switch
        {
            ReasonCode.UnsupportedProtocolVersion => 1,
            ReasonCode.ClientIdentifierNotValid => 2,
            ReasonCode.ServerUnavailable => 3,
            ReasonCode.BadUserNameOrPassword => 4,
            ReasonCode.NotAuthorized => 5,
            _ => (int)code,
        }
        : (int)code;
}
