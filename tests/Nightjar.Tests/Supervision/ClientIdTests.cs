using System.Text.RegularExpressions;
using Xunit;

namespace Nightjar.Tests.Supervision;

/// <summary>Client identifiers that mean something.</summary>
public sealed partial class ClientIdTests
{
    [Fact]
    public void The_identifier_of_a_machine_is_the_same_each_time_and_short_enough_for_every_server()
    {
        var id = ClientId.FromMachine("sensor-12-");

        Assert.Equal(id, ClientId.FromMachine("sensor-12-"));
        Assert.Matches(MachineId(), id);
        Assert.Equal(23, id.Length);
    }

    [Fact]
    public void It_does_not_tell_the_machines_own_identifier()
    {
        const string File = "/etc/machine-id";
        var own = System.IO.File.Exists(File) ? System.IO.File.ReadAllText(File).Trim() : "unknown";

        Assert.DoesNotContain(ClientId.FromMachine(""), own, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(own.Length > 8 ? own[..8] : "unknown", ClientId.FromMachine(""), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Tokens_are_replaced()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.ClientId = "a-%MACHINE%-%MAC3%-%OTHER%";
        await using var client = new MqttClient(options);

        Assert.Matches(Expanded(), client.ClientId);
        Assert.StartsWith($"a-{ClientId.FromMachine("")}-", client.ClientId, StringComparison.Ordinal);
        await client.ConnectAsync().Soon();
        Assert.Equal([client.ClientId], broker.ConnectedClients);
    }

    [Fact]
    public async Task Without_one_the_server_assigns_one_that_is_kept()
    {
        await using var broker = InMemory.Broker();
        var options = InMemory.Options(broker);
        options.ClientId = ClientId.None;
        await using var client = new MqttClient(options);
        await using var events = new EventReader(client);
        await client.ConnectAsync().Soon();
        var assigned = client.ClientId;
        Assert.NotEmpty(assigned);

        broker.DropConnections();
        await events.NextAsync<ClientEvent.Disconnected>();
        await events.NextAsync<ClientEvent.Connected>();

        Assert.Equal(assigned, client.ClientId);
        Assert.Equal([assigned], broker.ConnectedClients);
    }

    [Fact]
    public async Task A_generated_one_is_kept_for_the_clients_life_and_nobody_elses()
    {
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(InMemory.Options(broker));
        await using var other = new MqttClient(InMemory.Options(broker));
        await client.ConnectAsync().Soon();
        var id = client.ClientId;

        await client.UpdateOptionsAsync(InMemory.Options(broker)).Soon();
        await client.ConnectAsync().Soon();

        Assert.Equal(id, client.ClientId);
        Assert.NotEqual(id, other.ClientId);
    }

    [GeneratedRegex("^sensor-12-[0-9a-v]{13}$")]
    private static partial Regex MachineId();

    [GeneratedRegex("^a-[0-9a-v]{13}-[0-9A-F]{6}-%OTHER%$")]
    private static partial Regex Expanded();
}
