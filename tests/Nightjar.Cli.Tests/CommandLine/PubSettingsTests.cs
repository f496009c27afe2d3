using Nightjar.Cli.CommandLine;
using Xunit;

namespace Nightjar.Cli.Tests.CommandLine;

public sealed class PubSettingsTests
{
    [Fact]
    public void The_defaults_are_those_of_mosquitto_pub()
    {
        var settings = Read("-t", "a", "-m", "x");

        Assert.Equal("localhost", settings.Host);
        Assert.Equal(1883, settings.Port);
        Assert.Equal(QoS.AtMostOnce, settings.QoS);
        Assert.False(settings.Retain);
        Assert.Equal(1, settings.Repeat);
        Assert.Equal(TimeSpan.Zero, settings.RepeatDelay);
        Assert.True(settings.CleanSession);
    }

    [Theory]
    [InlineData("-t")]
    [InlineData("--topic")]
    public void Short_and_long_spellings_are_the_same(string topic)
    {
        var settings = Read(topic, "a/b", "--message", "x", "--host", "h", "--port", "1", "--qos", "2", "--retain");

        Assert.Equal(("a/b", "x", "h", 1), (settings.Topic, settings.Text, settings.Host, settings.Port));
        Assert.Equal(QoS.ExactlyOnce, settings.QoS);
        Assert.True(settings.Retain);
    }

    [Fact]
    public void The_message_carries_topic_QoS_and_retain()
    {
        var message = Read("-t", "a", "-m", "x", "-q", "1", "-r").ToMessage("y"u8.ToArray());

        Assert.Equal(("a", QoS.AtLeastOnce, true, 1L), (message.Topic, message.QoS, message.Retain, message.Payload.Length));
    }

    [Fact]
    public void Repeating_takes_a_count_and_seconds()
    {
        var settings = Read("-t", "a", "-n", "--repeat", "3", "--repeat-delay", "0.25");

        Assert.Equal(3, settings.Repeat);
        Assert.Equal(TimeSpan.FromMilliseconds(250), settings.RepeatDelay);
    }

    [Theory]
    [InlineData("Both topic and message must be supplied.")]
    [InlineData("Both topic and message must be supplied.", "-t", "a")]
    [InlineData("Both topic and message must be supplied.", "-m", "a")]
    [InlineData("Only one type of message can be sent at once.", "-t", "a", "-m", "x", "-n")]
    [InlineData("Only one type of message can be sent at once.", "-t", "a", "-l", "-s")]
    [InlineData("-q takes a whole number from 0 to 2, not '3'.", "-q", "3")]
    [InlineData("-q takes a whole number from 0 to 2, not 'x'.", "-q", "x")]
    [InlineData("-p takes a whole number from 1 to 65535, not '65536'.", "-p", "65536")]
    [InlineData("-k takes a whole number from 5 to 65535, not '3'.", "-k", "3")]
    [InlineData("--repeat takes a whole number from 1, not '0'.", "--repeat", "0")]
    [InlineData("-V takes 31, 311 or 5, not '9'.", "-V", "9")]
    [InlineData("-x takes seconds from 0 to 4294967294, or -1 for a session that does not expire, not 'zz'.", "-x", "zz")]
    [InlineData("You must provide a client id (-i) if you are using the -c option.", "-t", "a", "-n", "-c")]
    [InlineData("You must provide a client id (-i) if you are using the -c option.", "-t", "a", "-n", "-c", "-I", "x")]
    [InlineData("You must provide a client id (-i) if you are using an infinite session expiry interval.", "-t", "a", "-n", "-x", "-1")]
    [InlineData("-i and -I argument cannot be used together.", "-t", "a", "-n", "-i", "x", "-I", "y")]
    [InlineData("Both --cert and --key must be given if one of them is.", "-t", "a", "-n", "--cert", "x")]
    [InlineData("Unable to open file \"/no/such/ca\".", "-t", "a", "-n", "--cafile", "/no/such/ca")]
    [InlineData("--tls-version tlsv1.1: anything below tlsv1.2 is broken, and refused.", "--tls-version", "tlsv1.1")]
    [InlineData("-A takes an IP address, not 'eth0'.", "-A", "eth0")]
    [InlineData("Unknown option '-C'.", "-C", "1")]
    public void What_does_not_fit_is_said(string message, params string[] arguments) =>
        Assert.Equal(message, Assert.Throws<UsageException>(() => Read(arguments)).Message);

    [Theory]
    [InlineData("a/+")]
    [InlineData("#")]
    [InlineData("")]
    public void A_topic_with_wildcards_or_without_anything_is_refused(string topic)
    {
        var error = Assert.Throws<UsageException>(() => Read("-t", topic, "-n"));

        Assert.StartsWith($"-t: invalid topic '{topic}'", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--unix")]
    [InlineData("--proxy")]
    [InlineData("--psk")]
    [InlineData("--psk-identity")]
    [InlineData("--capath")]
    [InlineData("--ciphers")]
    [InlineData("--keyform")]
    [InlineData("--tls-engine")]
    [InlineData("--tls-engine-kpass-sha1")]
    [InlineData("-S")]
    public void A_flag_of_mosquitto_that_is_not_there_yet_is_named(string flag) =>
        Assert.Equal($"{flag} is not supported yet.", Assert.Throws<UsageException>(() => Read("-t", "a", flag, "x")).Message);

    [Fact]
    public void Help_is_printed_whatever_else_stands_there()
    {
        Assert.True(Read("--help").Help);
        Assert.True(Read("-t", "a", "--help", "-zzz").Help);
        Assert.False(Read("-t", "a", "-m", "--help").Help);
    }

    [Fact]
    public void The_help_page_names_every_flag()
    {
        var page = new PubSettings().HelpText();

        Assert.All(
            "-h -p -u -P -t -m -f -l -s -n -r -q -i -I -k -c -x -V -d -D -L -A -M --repeat --repeat-delay --quiet --will-topic --will-payload --will-qos --will-retain --cafile --cert --key --insecure --tls-version --tls-alpn --tls-use-os-certs --password-file --raw --help --version".Split(' '),
            flag => Assert.Matches($@"(?m)^ +(-\w, )?{flag}\b", page));
    }

    private static PubSettings Read(params string[] arguments)
    {
        var settings = new PubSettings();
        settings.Read(arguments);
        return settings;
    }
}
