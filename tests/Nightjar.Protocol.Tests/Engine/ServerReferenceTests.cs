using Nightjar.Protocol.Engine;
using Nightjar.Protocol.Packets;
using Nightjar.Protocol.Tests.Engine.Simulated;
using Xunit;

namespace Nightjar.Protocol.Tests.Engine;

/// <summary>A server tells the client to use another one.</summary>
public sealed class ServerReferenceTests
{
    private const long Second = TimeSpan.TicksPerSecond;

    private static readonly ServerSettings Plain = new()
    {
        Name = "mqtt://a.example:1883",
        Host = "a.example",
        Port = 1883,
        Connect = new ConnectPacket { UserName = "alice", Password = "s3cret"u8.ToArray() },
    };

    private static readonly ServerSettings Encrypted = Plain with { Name = "mqtts://s.example:8883", Host = "s.example", Port = 8883, UsesTls = true };

    [Theory]
    [InlineData("b.example", "b.example", 1884, false)]
    [InlineData("B.EXAMPLE:1884", "b.example", 1884, false)]
    [InlineData("b.example:99", "b.example", 99, false)]
    [InlineData("unknown.example b.example", "b.example", 1884, false)]
    [InlineData("node7.cluster.example", "node7.cluster.example", 1883, true)]
    [InlineData("node7.cluster.example:55", "node7.cluster.example", 55, true)]
    [InlineData("[2001:db8::1]:1885", "2001:db8::1", 1885, true)]
    [InlineData("mqtts://node7.cluster.example", "node7.cluster.example", 8883, true)]
    [InlineData("s.example", "s.example", 8883, false)]
    public void It_leads_to_hosts_that_are_configured_or_allowed(string reference, string host, int port, bool referred)
    {
        var target = Resolve(reference, Plain, out _)!;

        Assert.Equal((host, port, referred), (target.Host, target.Port, target.IsReferred));
    }

    [Theory]
    [InlineData("evil.example", "not followed; add it to Servers")]
    [InlineData("cluster.example", "not followed")]
    [InlineData("evilcluster.example", "not followed")]
    [InlineData("a.example", "which it is itself")]
    [InlineData("", "names no other server")]
    [InlineData(null, "names no other server")]
    [InlineData("b.example:0", "no host")]
    [InlineData("http://b.example", "no host")]
    [InlineData("b.example/../x", "no host")]
    [InlineData("a\u0007b", "'a?b', which is no host")]
    public void It_leads_nowhere_else(string? reference, string why)
    {
        Assert.Null(Resolve(reference, Plain, out var refusal));
        Assert.Contains(why, refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("b.example")]
    [InlineData("mqtt://node7.cluster.example")]
    [InlineData("tcp://s.example")]
    public void It_never_leads_from_an_encrypted_link_to_an_open_one(string reference)
    {
        Assert.Null(Resolve(reference, Encrypted, out var refusal));
        Assert.Contains("not followed", refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void An_encrypted_link_stays_encrypted_on_an_allowed_host() => Assert.True(Resolve("node7.cluster.example", Encrypted, out _)!.UsesTls);

    [Fact]
    public void A_temporary_one_is_used_for_one_connection_without_the_credentials_of_the_other_host()
    {
        var server = Connecting(Plain);
        Assert.Equal("alice", server.Open().UserName);
        server.Send(new ConnAckPacket { ReasonCode = ReasonCode.UseAnotherServer, ServerReference = "node7.cluster.example" });
        server.Driver.AdvanceTo(0);

        Assert.Equal("mqtt://node7.cluster.example:1883", Servers.Target(server));
        Assert.Equal("mqtt://node7.cluster.example:1883", Assert.Single(server.Driver.Outputs.OfType<EngineOutput.Redirected>()).To);
        Assert.Equal(0, server.Driver.Now);
        var connect = server.Accept();
        Assert.Equal((null, null), (connect.UserName, connect.Password));

        server.Driver.Lose();
        server.Driver.AdvanceTo(server.Engine.RetryAt);
        Assert.Equal(Plain.Name, Servers.Target(server));
    }

    [Fact]
    public void A_temporary_one_is_not_used_again_after_an_orderly_end_either()
    {
        var server = Connecting(Plain);
        server.Open();
        server.Send(new ConnAckPacket { ReasonCode = ReasonCode.UseAnotherServer, ServerReference = "node7.cluster.example" });
        server.Driver.AdvanceTo(0);
        server.Accept();

        server.Engine.End(new DisconnectPacket(), final: false, 0);
        server.Sent();
        server.Engine.Connect(0);

        Assert.Equal(Plain.Name, Servers.Target(server));
    }

    [Fact]
    public void A_server_that_refers_each_time_is_followed_each_time_as_long_as_connections_last()
    {
        var server = Connecting(Plain);
        for (var times = 1; times <= 8; times++)
        {
            server.Open();
            server.Send(new ConnAckPacket { ReasonCode = ReasonCode.UseAnotherServer, ServerReference = "node7.cluster.example" });
            server.Driver.AdvanceTo(server.Driver.Now);
            Assert.Equal(times, server.Driver.Outputs.OfType<EngineOutput.Redirected>().Count());
            server.Accept();
            server.Driver.AdvanceTo(server.Driver.Now + TimeSpan.TicksPerMinute);
            server.Driver.Lose();
            server.Driver.AdvanceTo(server.Engine.RetryAt);
        }
    }

    [Fact]
    public void From_a_temporary_one_there_is_a_way_back_too()
    {
        var server = Connecting(Plain, failBackAfter: TimeSpan.TicksPerMinute);
        server.Open();
        server.Send(new ConnAckPacket { ReasonCode = ReasonCode.UseAnotherServer, ServerReference = "node7.cluster.example" });
        server.Driver.AdvanceTo(0);
        server.Accept(new ConnAckPacket { ServerKeepAlive = 0 });

        server.Driver.AdvanceTo(TimeSpan.TicksPerMinute);

        Assert.Equal(["DISCONNECT"], server.Sent());
        Assert.Equal(Plain.Name, Servers.Target(server));
    }

    [Fact]
    public void A_server_that_moved_for_good_is_looked_for_at_its_new_place_from_then_on()
    {
        var server = Connecting(Plain);
        server.Accept();
        server.Send(new DisconnectPacket { ReasonCode = ReasonCode.ServerMoved, ServerReference = "b.example" });
        server.Driver.AdvanceTo(0);
        Assert.Equal("mqtt://b.example:1884", Servers.Target(server));
        Assert.Equal("bob", server.Accept().UserName);

        server.Driver.Lose();
        server.Driver.AdvanceTo(server.Engine.RetryAt);

        Assert.Equal("mqtt://b.example:1884", Servers.Target(server));
    }

    [Fact]
    public void A_temporary_one_that_moved_takes_no_configured_servers_place()
    {
        var server = Connecting(Plain);
        server.Open();
        server.Send(new ConnAckPacket { ReasonCode = ReasonCode.UseAnotherServer, ServerReference = "node7.cluster.example" });
        server.Driver.AdvanceTo(0);
        server.Accept();
        server.Send(new DisconnectPacket { ReasonCode = ReasonCode.ServerMoved, ServerReference = "node8.cluster.example" });
        server.Driver.AdvanceTo(0);
        Assert.Equal("mqtt://node8.cluster.example:1883", Servers.Target(server));
        server.Accept();

        server.Driver.Lose();
        server.Driver.AdvanceTo(server.Engine.RetryAt);

        Assert.Equal(Plain.Name, Servers.Target(server));
    }

    [Fact]
    public void One_that_the_application_chose_for_an_attempt_takes_no_configured_servers_place_either()
    {
        var settings = Servers.Settings("x");
        var server = new ScriptedServer(settings with { Servers = [Plain, Other()], Connection = new ConnectionSettings { PreparesAttempts = true } });
        server.Engine.Connect(0);
        server.Driver.Collect();
        server.Engine.HandlePrepared(1, Encrypted with { UsesTls = false }, 0);
        server.Accept();
        server.Send(new DisconnectPacket { ReasonCode = ReasonCode.ServerMoved, ServerReference = "b.example" });
        server.Driver.AdvanceTo(0);
        Assert.Equal(Other().Name, Servers.Target(server));
        server.Engine.HandlePrepared(2, null, 0);
        server.Accept();

        server.Driver.Lose();
        server.Driver.AdvanceTo(server.Engine.RetryAt);

        Assert.Equal(Plain.Name, Servers.Target(server));
    }

    [Fact]
    public void One_that_is_not_followed_is_reported_and_the_server_tried_again_later()
    {
        var server = Connecting(Plain, alone: true);
        server.Open();

        server.Send(new ConnAckPacket { ReasonCode = ReasonCode.UseAnotherServer, ServerReference = "evil.example" });

        var failed = Assert.Single(server.Driver.Outputs.OfType<EngineOutput.AttemptFailed>());
        Assert.Contains("'evil.example', which is not followed; add it to Servers, or to ReconnectOptions.AllowedRedirects", failed.Reason.Message, StringComparison.Ordinal);
        Assert.Equal(Second, server.Engine.RetryAt);
        server.Driver.AdvanceTo(Second);
        Assert.Equal(Plain.Name, Servers.Target(server));
    }

    [Fact]
    public void A_circle_of_references_is_left()
    {
        var server = Connecting(Plain);
        var hops = 0;
        while (server.Driver.WantsDial)
        {
            var other = Servers.Target(server) == Plain.Name ? "b.example" : "a.example";
            server.Open();
            server.Send(new ConnAckPacket { ReasonCode = ReasonCode.UseAnotherServer, ServerReference = other });
            server.Driver.AdvanceTo(0);
            hops++;
            Assert.True(hops < 20);
        }

        Assert.Equal(6, hops);
        Assert.Equal(ClientState.Waiting, server.Engine.State);
        Assert.Contains("led to no lasting connection", server.Engine.LastFailure!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("host.example", true)]
    [InlineData("host.example:1883", true)]
    [InlineData("*.example", true)]
    [InlineData("[::1]:1883", true)]
    [InlineData("a.*.example", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData("host.example/x", false)]
    public void A_pattern_is_checked(string? pattern, bool valid) => Assert.Equal(valid, ServerReference.IsPattern(pattern));

    private static ServerSettings? Resolve(string? reference, ServerSettings from, out string refusal) =>
        ServerReference.Resolve(reference, from, [Plain, Other(), Encrypted], ["*.cluster.example", "[2001:db8::1]:1885"], out refusal);

    private static ServerSettings Other() =>
        Plain with { Name = "mqtt://b.example:1884", Host = "b.example", Port = 1884, Connect = new ConnectPacket { UserName = "bob", Password = "other"u8.ToArray() } };

    private static ScriptedServer Connecting(ServerSettings first, bool alone = false, long failBackAfter = long.MaxValue)
    {
        var settings = Servers.Settings("x");
        var server = new ScriptedServer(settings with
        {
            Servers = alone ? [first] : [first, Other()],
            Retry = settings.Retry with { AllowedRedirects = ["*.cluster.example"], FailBackAfter = failBackAfter },
        });
        server.Engine.Connect(0);
        server.Driver.Collect();
        return server;
    }
}
