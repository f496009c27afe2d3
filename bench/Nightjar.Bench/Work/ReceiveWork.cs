using System.Diagnostics;
using Nightjar.Bench.Peer;

namespace Nightjar.Bench.Work;

/// <summary>
/// The peer publishes, a handler counts and looks at the first byte of each payload, which marks the last message. The clock stops when the
/// handler has that one or, at QoS 1, when the peer has its PUBACK.
/// </summary>
internal sealed class ReceiveWork(PeerEndpoint peer, Row row) : ClientWork(peer, row)
{
    // What the client holds when the peer has sent all is handled in moments, or never.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private TaskCompletionSource<long> _handled = NewHandled();
    private long _messages;
    private long _payloadBytes;

    public override async Task<Run> RunAsync(Quota quota)
    {
        _handled = NewHandled();
        _messages = _payloadBytes = 0;
        var sent = await Control.SendAsync(Client.ClientId, Row.QoS, Row.PayloadSize, quota);
        var handled = await AwaitLastAsync(sent.Messages);
        new SinkReport(_messages, _payloadBytes, handled).Check(sent.Messages, Row.PayloadSize);
        return new Run(sent.Messages, sent.Started, Row.QoS == 0 ? handled : sent.Ended);
    }

    protected override Task PrepareAsync()
    {
        var options = new SubscribeOptions { QoS = (QoS)Row.QoS };
        var subscription = Row.Leased
            ? Client.OnLeased(Row.Topic, message => Count(message.Payload.Span), options)
            : Client.On(Row.Topic, message => Count(message.Payload.Span), options);
        return subscription.Granted;
    }

    private static TaskCompletionSource<long> NewHandled() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task<long> AwaitLastAsync(long sent)
    {
        try
        {
            return await _handled.Task.WaitAsync(Patience);
        }
        catch (TimeoutException exception)
        {
            throw new InvalidOperationException($"the handler had {_messages} of {sent} messages and not the last; the client says {Client.Status}", exception);
        }
    }

    private void Count(ReadOnlySpan<byte> payload)
    {
        _messages++;
        _payloadBytes += payload.Length;
        if (payload[0] == PublishTemplate.LastMark)
        {
            _handled.TrySetResult(Stopwatch.GetTimestamp());
        }
    }
}
