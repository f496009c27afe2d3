using System.Net;
using System.Security.Authentication;
using Xunit;

namespace Nightjar.Tests.Diagnostics;

/// <summary>What people print: one line each, without what nobody asked for.</summary>
public sealed class TextTests
{
    private static readonly Exception Error = new InvalidOperationException("one\r\n- two\u0007");

    private static readonly HeldMessage Held = new("a/#", "a/b", 7, TimeSpan.FromSeconds(31.5));

    private static readonly ConnectResult Result = new()
    {
        Version = MqttVersion.Mqtt5,
        ClientId = "c",
        SessionPresent = true,
        KeepAlive = TimeSpan.FromSeconds(60),
        ResponseInformation = "not-for-logs",
        UserProperties = [new("token", "not-for-logs")],
        Transport = new TransportInfo { RemoteEndPoint = new IPEndPoint(IPAddress.Loopback, 8883), TlsVersion = SslProtocols.Tls13 },
    };

    public static TheoryData<object, string> Texts => new()
    {
        { Result with { Transport = null }, "Mqtt5 as 'c', session kept, keep-alive 60 s" },
        { new ClientStatus { State = ClientState.Idle, Server = "mqtt://h:1883" }, "Idle" },
        {
            new ClientStatus { State = ClientState.Connected, Server = "mqtt://h:1883", Connection = Result with { Transport = null }, InFlight = 2, Queued = 1, Held = [Held], LastError = Error },
            "Connected, mqtt://h:1883, Mqtt5 as 'c', session kept, keep-alive 60 s, 2 in flight, 1 queued, 'a/#' has held the message 7 to 'a/b' for 31.5 s"
        },
        {
            new ClientStatus { State = ClientState.Waiting, Server = "mqtt://h:1883", NextAttemptIn = TimeSpan.FromSeconds(1.25), Attempts = 3, LastError = Error, IsReceivingPaused = true },
            "Waiting, mqtt://h:1883, next attempt in 1.25 s after 3, receiving paused: one - two?"
        },
        { new SubscribeResult("a", ReasonCode.NotAuthorized) { ReasonString = "no\n", UserProperties = [new("token", "not-for-logs")] }, "'a': NotAuthorized: no" },
        { new UnsubscribeResult("a", ReasonCode.Success), "'a': Success" },
        { new ClientEvent.Connecting("mqtt://h:1883", 2), "Connecting: mqtt://h:1883, attempt 2" },
        { new ClientEvent.Connected(Result with { Transport = null }), "Connected: Mqtt5 as 'c', session kept, keep-alive 60 s" },
        {
            new ClientEvent.Disconnected(Error) { Cause = DisconnectCause.Remote, ReasonCode = ReasonCode.ServerBusy, Reason = "The server\nis busy." },
            "Disconnected: Remote, ServerBusy, The server is busy."
        },
        { new ClientEvent.Disconnected(null), "Disconnected: Local, on request" },
        { new ClientEvent.ConnectFailed(Error, TimeSpan.FromSeconds(2)), "ConnectFailed: Transient, next attempt in 2 s: one - two?" },
        { new ClientEvent.ConnectFailed(Error, null) { Class = FailureClass.Permanent }, "ConnectFailed: Permanent, no other attempt: one - two?" },
        { new ClientEvent.Redirected("a", "b"), "Redirected: a to b" },
        { new ClientEvent.TakenOver("c"), "TakenOver: 'c'" },
        { new ClientEvent.SubscriptionAnswered("a", ReasonCode.GrantedQoS1), "SubscriptionAnswered: 'a', GrantedQoS1" },
        { new ClientEvent.Unrouted("a\nb"), "Unrouted: 'a b'" },
        { new ClientEvent.HandlerFailed("a/#", "a/b", Error), "HandlerFailed: 'a/#', message to 'a/b' acknowledged: InvalidOperationException: one - two?" },
        { new ClientEvent.HandlerStalled(Held), "HandlerStalled: 'a/#' has held the message 7 to 'a/b' for 31.5 s" },
        { new ClientEvent.HandlerTimedOut(Held, 3), "HandlerTimedOut: 3 messages, first of them: 'a/#' has held the message 7 to 'a/b' for 31.5 s" },
        { new ClientEvent.WindowNearlyFull(205, 256), "WindowNearlyFull: 205 of 256" },
        { new ClientEvent.MessagesDropped("a", 4), "MessagesDropped: 4 for 'a'" },
        { new ClientEvent.MessageSkipped("a", QoS.AtLeastOnce, 100, null), "MessageSkipped: 'a' QoS 1 100 B" },
        { new ClientEvent.MessageSkipped("a", QoS.AtLeastOnce, 100, "#"), "MessageSkipped: 'a' QoS 1 100 B for '#'" },
        { new ClientEvent.ReconnectLoop(Error, 5), "ReconnectLoop: 5 times: one - two?" },
        { new ClientEvent.PublishesDropped(6), "PublishesDropped: 6" },
        { new ClientEvent.StorageFailed(Error), "StorageFailed: one - two?" },
        { new ClientEvent.SessionRestored { PendingMessages = 3, InFlight = 1 }, "SessionRestored: 3 to send, 1 of them in flight, 0 unhandled" },
        { new ClientEvent.SessionRestored { DamagedStretches = 1, DamagedBytes = 9 }, "SessionRestored: 0 to send, 0 of them in flight, 0 unhandled, 9 B damaged in 1" },
        { new ClientEvent.StorageRecovered(), "StorageRecovered" },
        { new StorageStatus { IsOpen = true, Bytes = 100, Segments = 2, PendingBytes = 3, Error = Error }, "open, 100 B in 2, 3 B pending, failing: one - two?" },
        { new ClientStatus { State = ClientState.Idle, Storage = new StorageStatus { Error = Error } }, "Idle, store: one - two?" },
        { new ClientEvent.Quarantined("a", 7, "too large"), "Quarantined: 7 to 'a': too large" },
    };

    [Theory]
    [MemberData(nameof(Texts), DisableDiscoveryEnumeration = true)]
    public void What_people_print_is_one_line(object printed, string expected) => Assert.Equal(expected, printed.ToString());

    [Fact]
    public void The_transport_is_shown_without_its_certificate() => Assert.Equal("127.0.0.1:8883 over Tls13 with ", Result.Transport!.ToString());
}
