namespace Nightjar;

/// <summary>What the server does with retained messages when a subscription is made (MQTT 5, 3.8.3.1).</summary>
public enum RetainHandling : byte
{
    /// <summary>Send the retained messages at each SUBSCRIBE.</summary>
    SendAtSubscribe = 0,

    /// <summary>Send them only if the subscription did not exist yet.</summary>
    SendAtSubscribeIfNew = 1,

    /// <summary>Do not send them.</summary>
    DoNotSend = 2,
}
