using Nightjar.Cli.CommandLine;
using Xunit;

namespace Nightjar.Cli.Tests.CommandLine;

public sealed class ArgumentReaderTests
{
    private readonly List<string> _read = [];

    [Fact]
    public void What_follows_a_flag_is_its_value_whatever_it_looks_like()
    {
        Read("-m", "-t", "-t", "--help", "-m", "");

        Assert.Equal(["m -t", "t --help", "m "], _read);
    }

    [Fact]
    public void A_long_flag_takes_its_value_attached_too()
    {
        Read("--message=a=b", "--message=", "--message", "x=y");

        Assert.Equal(["m a=b", "m ", "m x=y"], _read);
    }

    [Fact]
    public void A_flag_takes_as_many_values_as_it_needs()
    {
        Read("-D", "a", "b", "-r");

        Assert.Equal(["D a b", "r"], _read);
    }

    [Theory]
    [InlineData("-m argument given but no TEXT specified.", "-m")]
    [InlineData("-D argument given but no second specified.", "-D", "a")]
    [InlineData("Unknown option '-zzz'.", "-zzz")]
    [InlineData("Unknown option 'stray'.", "stray")]
    [InlineData("Unknown option '-mtext'.", "-mtext")]
    [InlineData("Unknown option '-'.", "-")]
    [InlineData("--retain takes no value.", "--retain=yes")]
    public void What_cannot_be_read_is_said(string message, params string[] arguments) =>
        Assert.Equal(message, Assert.Throws<UsageException>(() => Read(arguments)).Message);

    [Fact]
    public void A_flag_may_leave_the_rest_unread()
    {
        Read("--stop", "-zzz");

        Assert.Equal(["stop"], _read);
    }

    private void Read(params string[] arguments) => ArgumentReader.Apply(arguments,
    [
        new FlagGroup("First",
        [
            new("-m --message", "TEXT", "", (string value) => _read.Add($"m {value}")),
            new("-t", "TOPIC", "", (string value) => _read.Add($"t {value}")),
        ]),
        new FlagGroup("Second",
        [
            new("-r --retain", "", () => _read.Add("r")),
            new("-D", "TWO", "", values => _read.Add($"D {values.Take("first")} {values.Take("second")}")),
            new("--stop", "", values =>
            {
                values.Stop();
                _read.Add("stop");
            }),
        ]),
    ]);
}
