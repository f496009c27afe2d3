using System.Net;
using Nightjar.Testing;

namespace Nightjar.Cli.CommandLine;

/// <summary>The flags of <c>nightjar broker</c>.</summary>
internal sealed class BrokerSettings : VerbSettings
{
    private int _port = 1883;
    private IPAddress _address = IPAddress.Loopback;
    private string? _userName;
    private string _password = string.Empty;

    public BrokerSettings()
    {
        Add(new FlagGroup("Broker",
        [
            new("-p --port", "PORT", "port to listen on; 0: a free one (1883)", value => _port = FlagValue.Integer("-p", value, 0, 65_535)),
            new("-A", "ADDRESS", "address to listen on; think before you open it to a network (127.0.0.1)", value =>
                _address = IPAddress.TryParse(value, out var address) ? address : throw new UsageException($"-A takes an IP address, not '{value}'.")),
            new("-u --username", "NAME", "let nobody in but this user (everybody)", value => _userName = value),
            new("-P --pw", "PASSWORD", "with this password", value => _password = value),
        ]));
        AddGeneral();
    }

    protected override string Usage => """
        usage: nightjar broker [-p PORT] [flags]

        Runs a small broker until Ctrl-C, for development and tests: everything is in memory and lost at the end. For production take Mosquitto, EMQX,
        HiveMQ or another real one.
        """;

    protected override IReadOnlyList<(string Title, string Text)> More =>
    [
        ("Exit status", """
              1        the command line, or the port, cannot be used
              130, 143 ended by Ctrl-C, by SIGTERM
            """),
    ];

    public MqttTestBrokerOptions ToOptions(Invocation invocation)
    {
        var options = new MqttTestBrokerOptions { Port = _port, Address = _address, RecordPublished = false, TimeProvider = invocation.Clock };
        if (_userName is not null)
        {
            options.Users[_userName] = _password;
        }

        return options;
    }

    protected override void Validate()
    {
        if (_userName is null && _password.Length > 0)
        {
            throw new UsageException("-P needs -u.");
        }
    }
}
