using System.Buffers.Binary;
using Nightjar.Connection;

namespace Nightjar.Requests;

/// <summary>Sends requests and waits for their answers.</summary>
/// <param name="host">Knows who waits.</param>
/// <param name="publish">Publishes.</param>
internal sealed class Requester(EngineHost host, Func<OutgoingMessage, CancellationToken, ValueTask<PublishResult>> publish)
{
    private readonly ResponseChannel _responses = new(host);

    public async Task<MqttMessage> RequestAsync(OutgoingMessage message, TimeSpan timeout, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var request = new PendingRequest(message.Topic, timeout);
        host.Begin(request, timeout);

        // Whatever ends the wait takes back what was not sent yet. There is no timer behind this source, so nothing to dispose of.
        var over = new CancellationTokenSource();
        try
        {
            _ = SendAsync(request, message, timeout, over.Token);
            return await request.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            host.End(request);
            await over.CancelAsync().ConfigureAwait(false);
        }
    }

    private static OutgoingMessage Address(OutgoingMessage message, ResponseAddress address, ulong correlation, TimeSpan timeout)
    {
        message = message with { TimeToLive = message.TimeToLive ?? (timeout == Timeout.InfiniteTimeSpan ? null : timeout) };
        if (address.InTopic)
        {
            return message with { Topic = RequestTopics.Mark(message.Topic, address.Level, correlation) };
        }

        var data = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(data, correlation);
        return message with { ResponseTopic = address.ResponseTopic, CorrelationData = data };
    }

    /// <summary>Never throws: what goes wrong is the request's end.</summary>
    private async Task SendAsync(PendingRequest request, OutgoingMessage message, TimeSpan timeout, CancellationToken over)
    {
        try
        {
            var address = await _responses.OpenAsync(over).ConfigureAwait(false);
            var result = await publish(Address(message, address, request.Correlation, timeout), over).ConfigureAwait(false);
            if (result.ReasonCode == ReasonCode.NoMatchingSubscribers)
            {
                request.Fail(new MqttNoResponderException($"Nobody listens on '{message.Topic}', says the server.") { ReasonCode = result.ReasonCode, IsTransient = true });
            }
        }
        catch (Exception error)
        {
            request.Fail(error);
        }
    }
}
