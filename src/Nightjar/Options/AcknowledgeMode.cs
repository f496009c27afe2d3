namespace Nightjar;

/// <summary>When a received QoS 1 or 2 message is acknowledged.</summary>
public enum AcknowledgeMode
{
    /// <summary>When its handler's task has ended, or the loop asks for the next message. What was not handled comes again.</summary>
    AfterHandler,

    /// <summary>As soon as it arrives, before its handler is called: at most once from there on. It never holds the window.</summary>
    AtArrival,

    /// <summary>By <see cref="MqttMessage.Acknowledge"/>, from any thread, also long after the handler has ended.</summary>
    Manual,

    /// <summary>
    /// As soon as it lies in the session's store, before its handler is called: a slow handler never holds the window, and yet nothing is lost, for what was not handled when the process or
    /// the subscription ended stays there, and goes to the next subscription of this mode that matches, with the same <see cref="MqttMessage.DeliveryId"/>. Needs <see cref="SessionOptions.Store"/>. Messages of QoS 0 are not stored.
    /// </summary>
    Stored,
}
