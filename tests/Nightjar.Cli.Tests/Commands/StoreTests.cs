using System.Text;
using System.Text.Json;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Cli.Tests.Commands;

/// <summary><c>--store</c> and the verbs of <c>nightjar session</c>.</summary>
public sealed class StoreTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("nightjar-");

    private string Store => Path.Combine(_directory.FullName, "store");

    [Fact]
    public async Task What_cannot_be_delivered_in_time_is_stored_and_the_exit_code_says_so()
    {
        var (exitCode, output, error) = await ToolRun.ToEndAsync($"pub -p {FreePort.Find()} -t a -m hello --store {Store} --timeout 0.2");

        Assert.Equal((ExitCode.Stored, ""), (exitCode, output));
        Assert.Contains($"1 message is stored in {Store} and not delivered; the next run does it, or \"nightjar session drain {Store}\".", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_next_run_delivers_what_is_stored_before_its_own_and_leaves_nothing()
    {
        await using var broker = new MqttTestBroker();
        await StoreAsync("one\ntwo\n", "-q 2");

        var (exitCode, output, error) = await ToolRun.ToEndAsync($"pub -p {broker.Port} -t a -m three --store {Store}");

        Assert.Equal((0, "", ""), (exitCode, output, error));
        var published = await broker.WaitForPublishedAsync(3);
        Assert.Equal([("one", QoS.ExactlyOnce), ("two", QoS.ExactlyOnce), ("three", QoS.AtLeastOnce)], published.Select(message => (message.Text, message.QoS)));
        Assert.Equal(0, await CountAsync());
    }

    [Fact]
    public async Task Drain_delivers_with_what_the_store_knows_of_the_session()
    {
        await using var broker = new MqttTestBroker();
        Assert.Equal(0, (await ToolRun.ToEndAsync($"pub -p {broker.Port} -i meter -t a -m zero --store {Store}")).ExitCode);
        await StoreAsync("one\ntwo\n", "-i meter");

        var (exitCode, output, error) = await ToolRun.ToEndAsync($"session drain {Store} -d");

        Assert.Equal((0, ""), (exitCode, output));
        Assert.Contains("Connected as meter,", error, StringComparison.Ordinal);
        Assert.Contains("2 delivered.", error, StringComparison.Ordinal);
        Assert.Equal(["zero", "one", "two"], (await broker.WaitForPublishedAsync(3)).Select(message => message.Text));
    }

    [Fact]
    public async Task A_broker_that_lets_nobody_in_is_no_loss_and_drain_says_why()
    {
        var options = new MqttTestBrokerOptions();
        options.Users["somebody"] = "else";
        await using var broker = new MqttTestBroker(options);

        var stored = await ToolRun.ToEndAsync($"pub -p {broker.Port} -t a -m one --store {Store}");
        var drained = await ToolRun.ToEndAsync($"session drain {Store} -p {broker.Port} -u nobody -P guess");

        Assert.Equal(ExitCode.Stored, stored.ExitCode);
        Assert.Contains("Error: Cannot connect", stored.Error, StringComparison.Ordinal);
        Assert.InRange(drained.ExitCode, 128, 162);
        Assert.Equal(1, await CountAsync());
    }

    [Fact]
    public async Task Credentials_are_never_stored()
    {
        await ToolRun.ToEndAsync($"pub -p {FreePort.Find()} -u somebody -P s3cret -t a -m hello --store {Store} --timeout 0.2");

        Assert.All(Directory.GetFiles(Store), file =>
        {
            var bytes = Encoding.Latin1.GetString(File.ReadAllBytes(file));
            Assert.DoesNotContain("s3cret", bytes, StringComparison.Ordinal);
            Assert.DoesNotContain("somebody", bytes, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("pub -t a -m x -q 0 --store", "--store keeps messages until the broker acknowledges them")]
    [InlineData("sub -t a -q 0 --store", "--store goes on where the run before stopped")]
    [InlineData("session show", "The directory of the store is missing.")]
    [InlineData("session drain", "The directory of the store is missing.")]
    public async Task A_command_line_that_makes_no_sense_is_refused(string commandLine, string said)
    {
        var (exitCode, _, error) = await ToolRun.ToEndAsync(commandLine.EndsWith("--store", StringComparison.Ordinal) ? $"{commandLine} {Store}" : commandLine);

        Assert.Equal(ExitCode.Usage, exitCode);
        Assert.Contains(said, error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Store));
    }

    [Fact]
    public async Task A_subscriber_goes_on_where_the_run_before_stopped()
    {
        await using var broker = new MqttTestBroker();
        Assert.Equal(0, (await ToolRun.ToEndAsync($"sub -p {broker.Port} -t a -E --store {Store}")).ExitCode);
        await broker.WaitForNoClientsAsync();
        await broker.PublishAsync("a", "meanwhile", QoS.AtLeastOnce);

        var (exitCode, output, _) = await ToolRun.ToEndAsync($"sub -p {broker.Port} -t a -C 1 --store {Store}");

        Assert.Equal((0, "meanwhile\n"), (exitCode, output));
    }

    [Fact]
    public async Task Show_lists_what_waits_beside_the_process_that_uses_the_store_and_payloads_only_on_request()
    {
        await StoreAsync("s\u0007cret\n", "-r");
        await using var other = new MqttClient(new MqttClientOptions("mqtt://127.0.0.1:1") { Session = new SessionOptions { Store = new FileSessionStore(Store) } });
        await other.OpenAsync();

        var table = await ToolRun.ToEndAsync($"session show {Store}");
        var payload = await ToolRun.ToEndAsync($"session show {Store} --payload");
        var json = await ToolRun.ToEndAsync($"session show {Store} --json --payload");

        Assert.Equal(0, table.ExitCode);
        Assert.Contains("queued      1 message, 6 bytes", table.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("cret", table.Output, StringComparison.Ordinal);
        Assert.Contains("s\\x07cret", payload.Output, StringComparison.Ordinal);
        using var parsed = JsonDocument.Parse(json.Output);
        var message = Assert.Single(parsed.RootElement.GetProperty("messages").EnumerateArray());
        Assert.Equal(("queued", "a", 1, true), (
            message.GetProperty("state").GetString(), message.GetProperty("topic").GetString(), message.GetProperty("qos").GetInt32(), message.GetProperty("retain").GetBoolean()));
    }

    [Fact]
    public async Task Verify_tells_an_intact_store_from_a_damaged_one_and_from_none()
    {
        await StoreAsync("one\ntwo\nthree\n", "-q 1");
        var intact = await ToolRun.ToEndAsync($"session verify {Store}");
        var file = Directory.GetFiles(Store, "*.log").Order(StringComparer.Ordinal).First();
        var bytes = await File.ReadAllBytesAsync(file);
        var place = bytes.AsSpan().IndexOf("two"u8);
        bytes[place] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);

        var damaged = await ToolRun.ToEndAsync($"session verify {Store}");
        var left = await CountAsync();
        var none = await ToolRun.ToEndAsync($"session verify {Store}-no");

        Assert.Equal(0, intact.ExitCode);
        Assert.StartsWith("intact: ", intact.Output, StringComparison.Ordinal);
        Assert.Equal(1, damaged.ExitCode);
        Assert.Contains($"{Path.GetFileName(file)}: ", damaged.Output, StringComparison.Ordinal);
        Assert.Contains("Lost: 1 record,", damaged.Output, StringComparison.Ordinal);
        Assert.Equal(2, left);
        Assert.Equal((2, ""), (none.ExitCode, none.Output));
        Assert.StartsWith("Error: Could not read the session store", none.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_encrypted_store_needs_its_key()
    {
        var key = Path.Combine(_directory.FullName, "key");
        await File.WriteAllTextAsync(key, new string('7', 64) + "\n");
        await File.WriteAllTextAsync(key + "-short", "77\n");
        await StoreAsync("s3cret\n", $"--store-key {key}");

        var without = await ToolRun.ToEndAsync($"session show {Store}");
        var broken = await ToolRun.ToEndAsync($"session show {Store} --store-key {key}-short");
        var with = await ToolRun.ToEndAsync($"session show {Store} --payload --store-key {key}");

        Assert.Equal((2, ""), (without.ExitCode, without.Output));
        Assert.Contains("--store-key", without.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, broken.ExitCode);
        Assert.Contains("does not hold 64 hexadecimal digits", broken.Error, StringComparison.Ordinal);
        Assert.Equal(0, with.ExitCode);
        Assert.Contains("s3cret", with.Output, StringComparison.Ordinal);
        Assert.All(Directory.GetFiles(Store), file => Assert.True(File.ReadAllBytes(file).AsSpan().IndexOf("s3cret"u8) < 0));
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private async Task StoreAsync(string lines, string flags)
    {
        var (exitCode, _, error) = await ToolRun.ToEndAsync($"pub -p {FreePort.Find()} -t a -l --store {Store} --timeout 0.2 {flags}", lines);
        Assert.True(exitCode == ExitCode.Stored, error);
    }

    private async Task<int> CountAsync() => (await StoredSession.ReadAsync(new FileSessionStore(Store))).Outgoing.Count;
}
