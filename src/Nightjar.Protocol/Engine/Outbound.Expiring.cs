using System.Buffers.Binary;
using Nightjar.Protocol.Codec;

namespace Nightjar.Protocol.Engine;

// Messages that are too old to be sent for the first time. One that was sent before is never too old: the server may have it.
internal sealed partial class Outbound
{
    // One byte of identifier, four of seconds.
    private const int ExpiryPropertyLength = 5;

    /// <summary>A message begins to wait.</summary>
    private void WatchAge(MessageTicket ticket, long timeToLive, long now)
    {
        if (timeToLive <= 0 && _settings.MaximumAge == long.MaxValue)
        {
            return;
        }

        var expiresAt = timeToLive <= 0 || timeToLive >= long.MaxValue - now ? long.MaxValue : now + timeToLive;
        if (_settings.MaximumAge != long.MaxValue && now + _settings.MaximumAge < expiresAt)
        {
            expiresAt = now + _settings.MaximumAge;
            _messages[ticket.Handle].Traits |= MessageTraits.ExpiresByAge;
        }

        _messages.Expire(ticket.Handle, expiresAt);
        _expiry.Add(ticket, expiresAt);
    }

    /// <summary>Messages whose time is over before they were sent.</summary>
    private void Expire(long now)
    {
        var any = false;
        while (_expiry.TryTake(now, out var handle))
        {
            any = true;
            RemoveFromQueue(handle);
            EndExpired(handle);
        }

        if (any)
        {
            _flushes.Left(_reliable, _unreliable, FlushPosition);
        }
    }

    /// <summary>The time of a message is over that is in no queue any more.</summary>
    private void EndExpired(int handle)
    {
        var reason = (_messages[handle].Traits & MessageTraits.ExpiresByAge) != MessageTraits.None ? MessageDropReason.TooOld : MessageDropReason.Expired;
        NoteDrop(handle, reason);
        Finish(handle, PublishEnd.Dropped, ReasonCode.Success, drop: reason);
    }

    /// <summary>
    /// What is left of the message's time goes out with it [MQTT5-3.3.2-6]: the server counts on from there. Rounded up, so that no message dies of rounding.
    /// </summary>
    private void CountDown(int handle)
    {
        ref var message = ref _messages[handle];
        var properties = message.Segment!.Bytes.AsSpan(message.Offset + message.TopicLength, message.PropertiesLength);
        if (properties.Length < ExpiryPropertyLength || properties[0] != (byte)PropertyId.MessageExpiryInterval)
        {
            return;
        }

        var seconds = properties[1..ExpiryPropertyLength];
        long left;
        if ((message.Traits & MessageTraits.ExpiresByAge) == MessageTraits.None)
        {
            left = _messages.ExpiresAt(handle) - _now;
        }
        else
        {
            // One of an earlier process may have been allowed another age; how long it waited there is not known then, and it keeps all of its own time.
            var waited = _settings.MaximumAge == long.MaxValue ? 0 : Math.Max(0, _now - (_messages.ExpiresAt(handle) - _settings.MaximumAge));
            left = (BinaryPrimitives.ReadUInt32BigEndian(seconds) * TimeSpan.TicksPerSecond) - waited;
        }

        var rounded = (left + TimeSpan.TicksPerSecond - 1) / TimeSpan.TicksPerSecond;
        BinaryPrimitives.WriteUInt32BigEndian(seconds, (uint)Math.Clamp(rounded, 1, BinaryPrimitives.ReadUInt32BigEndian(seconds)));
    }
}
