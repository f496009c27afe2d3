using System.Buffers;
using Nightjar.Connection;

namespace Nightjar.Requests;

/// <summary>Calls the application for each request and sends back what it says, or that it failed.</summary>
/// <param name="host">Hears of failures.</param>
/// <param name="publish">Publishes.</param>
/// <param name="filter">What the application responds to.</param>
/// <param name="respond">The application.</param>
internal sealed class Responder(
    EngineHost host,
    Func<OutgoingMessage, CancellationToken, ValueTask<PublishResult>> publish,
    string filter,
    Func<MqttMessage, CancellationToken, ValueTask<MqttResponse>> respond)
{
    /// <summary>Fails only at the end of the subscription: a request that could not be answered is not asked again, since its requester may have gone.</summary>
    public async ValueTask HandleAsync(MqttMessage message, CancellationToken stopping)
    {
        var responseTopic = message.ResponseTopic;
        var inTopic = RequestTopics.TryUnmark(message.Topic, out var asked, out var reply);
        if (inTopic)
        {
            message = message.WithTopic(asked);
            responseTopic = $"{host.Options.Requests.ResponseTopicPrefix}/{reply}";
        }

        try
        {
            MqttResponse? response = null;
            string? failure = null;
            try
            {
                response = await respond(message, stopping).ConfigureAwait(false);
            }
            catch (MqttRemoteException error)
            {
                failure = error.Message;
            }
            catch (Exception error) when (!stopping.IsCancellationRequested)
            {
                host.ReportResponderFailure(filter, message.Topic, error);
                failure = "The responder failed.";
            }

            // Without a response topic it was a message like any other, and nobody waits.
            if (responseTopic is not null)
            {
                await publish(Answer(message, responseTopic, inTopic, response ?? new MqttResponse(), failure), stopping).ConfigureAwait(false);
            }
        }
        catch (Exception error) when (!stopping.IsCancellationRequested)
        {
            host.ReportResponderFailure(filter, message.Topic, error);
        }
    }

    private OutgoingMessage Answer(MqttMessage request, string responseTopic, bool inTopic, MqttResponse response, string? failure)
    {
        var answer = new OutgoingMessage(failure is not null && inTopic ? RequestTopics.Failed(responseTopic) : responseTopic, response.Payload)
        {
            QoS = host.Options.Requests.ResponseQoS,

            // What is left of the time that the requester waits.
            TimeToLive = request.TimeToLive,
            PayloadFormat = response.PayloadFormat,
            ContentType = response.ContentType,
            CorrelationData = request.CorrelationData,
            UserProperties = response.UserProperties,
        };
        if (failure is null)
        {
            return answer;
        }

        return answer with
        {
            Payload = inTopic ? new ReadOnlySequence<byte>(System.Text.Encoding.UTF8.GetBytes(failure)) : default,
            UserProperties = [new UserProperty(RequestTopics.ErrorProperty, failure)],
        };
    }
}
