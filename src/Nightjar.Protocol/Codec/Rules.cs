using static Nightjar.ReasonCode;

namespace Nightjar.Protocol.Codec;

/// <summary>
/// What the decoder asks of packets, each with its statement in 5.0 and in 3.1.1. The rules of single properties come from
/// <see cref="PropertyTable"/>.
/// </summary>
internal static class Rules
{
    // Fixed header
    public static readonly Rule PacketTypeReserved = new(MalformedPacket, "MQTT5-2.1.2", "MQTT311-2.2.1",
        "The packet type is reserved in this version.");

    public static readonly Rule WrongSender = new(ProtocolError, "MQTT5-2.1.2", "MQTT311-2.2.1",
        "This end must not send a packet of this type.");

    public static readonly Rule Flags = new(MalformedPacket, "MQTT5-2.1.3-1", "MQTT311-2.2.2-2",
        "The flags of the fixed header are not those of the packet type.");

    public static readonly Rule PubRelFlags = new(MalformedPacket, "MQTT5-3.6.1-1", "MQTT311-3.6.1-1",
        "The flags of PUBREL must be 0010.");

    public static readonly Rule SubscribeFlags = new(MalformedPacket, "MQTT5-3.8.1-1", "MQTT311-3.8.1-1",
        "The flags of SUBSCRIBE must be 0010.");

    public static readonly Rule UnsubscribeFlags = new(MalformedPacket, "MQTT5-3.10.1-1", "MQTT311-3.10.1-1",
        "The flags of UNSUBSCRIBE must be 0010.");

    public static readonly Rule DisconnectFlags = new(MalformedPacket, "MQTT5-3.14.1-1", "MQTT311-3.14.1-1",
        "The flags of DISCONNECT must be 0.");

    public static readonly Rule AuthFlags = new(MalformedPacket, "MQTT5-3.15.1-1",
        "The flags of AUTH must be 0.");

    public static readonly Rule LengthTooLong = new(MalformedPacket, "MQTT5-1.5.5", "MQTT311-2.2.3",
        "A variable byte integer has more than four bytes.");

    public static readonly Rule LengthNotMinimal = new(MalformedPacket, "MQTT5-1.5.5-1",
        "A variable byte integer has more bytes than it needs.");

    public static readonly Rule TooLargeFromServer = new(PacketTooLarge, "MQTT5-3.1.2-24", "MQTT311-2.2.3",
        "The packet is larger than the maximum packet size.");

    public static readonly Rule TooLargeFromClient = new(PacketTooLarge, "MQTT5-3.2.2-15", "MQTT311-2.2.3",
        "The packet is larger than the maximum packet size.");

    // Fields
    public static readonly Rule Truncated = new(MalformedPacket, "MQTT5-4.13.1-1", "MQTT311-4.8.0-1",
        "A field runs past the end of the packet.");

    public static readonly Rule TrailingBytes = new(MalformedPacket, "MQTT5-4.13.1-1", "MQTT311-4.8.0-1",
        "The packet goes on after its last field.");

    public static readonly Rule TextIllFormed = new(MalformedPacket, "MQTT5-1.5.4-1", "MQTT311-1.5.3-1",
        "A text is not well-formed UTF-8.");

    public static readonly Rule TextHasNull = new(MalformedPacket, "MQTT5-1.5.4-2", "MQTT311-1.5.3-2",
        "A text holds U+0000.");

    public static readonly Rule TopicEmpty = new(ProtocolError, "MQTT5-4.7.3-1", "MQTT311-4.7.3-1",
        "A topic name or filter is empty.");

    public static readonly Rule TopicHasWildcard = new(MalformedPacket, "MQTT5-4.7.0-1", "MQTT311-4.7.1-1",
        "A topic name holds a wildcard.");

    public static readonly Rule FilterMultiLevel = new(MalformedPacket, "MQTT5-4.7.1-1", "MQTT311-4.7.1-2",
        "A '#' in a topic filter is not alone in the last level.");

    public static readonly Rule FilterSingleLevel = new(MalformedPacket, "MQTT5-4.7.1-2", "MQTT311-4.7.1-3",
        "A '+' in a topic filter is not alone in its level.");

    public static readonly Rule ShareNameEmpty = new(MalformedPacket, "MQTT5-4.8.2-1",
        "A shared subscription has no share name.");

    public static readonly Rule ShareNameForm = new(MalformedPacket, "MQTT5-4.8.2-2",
        "A share name holds a wildcard, or no topic filter follows it.");

    // CONNECT
    public static readonly Rule ProtocolName = new(UnsupportedProtocolVersion, "MQTT5-3.1.2-1", "MQTT311-3.1.2-1",
        "The protocol name of CONNECT is not known.");

    public static readonly Rule ProtocolVersion = new(UnsupportedProtocolVersion, "MQTT5-3.1.2-2", "MQTT311-3.1.2-2",
        "The protocol version of CONNECT is not known.");

    public static readonly Rule ConnectReservedFlag = new(MalformedPacket, "MQTT5-3.1.2-3", "MQTT311-3.1.2-3",
        "The reserved flag of CONNECT is set.");

    public static readonly Rule WillQoSWithoutWill = new(MalformedPacket, "MQTT5-3.1.2-11", "MQTT311-3.1.2-13",
        "CONNECT has a will QoS and no will.");

    public static readonly Rule WillQoS3 = new(MalformedPacket, "MQTT5-3.1.2-12", "MQTT311-3.1.2-14",
        "The will QoS is 3.");

    public static readonly Rule WillRetainWithoutWill = new(MalformedPacket, "MQTT5-3.1.2-13", "MQTT311-3.1.2-15",
        "CONNECT has the will retain flag and no will.");

    public static readonly Rule PasswordWithoutUserName = new(MalformedPacket, "MQTT311-3.1.2-22",
        "CONNECT has a password and no user name.");

    public static readonly Rule ClientIdEmpty = new(ClientIdentifierNotValid, "MQTT311-3.1.3-8",
        "CONNECT has no client identifier, and no clean session to go with that.");

    public static readonly Rule AuthenticationDataAlone = new(ProtocolError, "MQTT5-3.1.2.11.10",
        "CONNECT has authentication data and no authentication method.");

    // CONNACK
    public static readonly Rule ConnAckFlags = new(MalformedPacket, "MQTT5-3.2.2-1", "MQTT311-3.2.2.1",
        "The reserved acknowledge flags of CONNACK are not 0.");

    public static readonly Rule SessionPresentOnRefusal = new(ProtocolError, "MQTT5-3.2.2-6", "MQTT311-3.2.2-4",
        "CONNACK refuses the connection and has a session present.");

    public static readonly Rule ConnAckCode = new(MalformedPacket, "MQTT5-3.2.2-8", "MQTT311-3.2.2.3",
        "CONNACK has a code that is not its own.");

    public static readonly Rule ConnAckAcceptsAsOlder = new(MalformedPacket, "MQTT5-3.2.2.3.1",
        "CONNACK accepts a 5.0 connection in the form of an older version.");

    // PUBLISH
    public static readonly Rule DuplicateAtQoS0 = new(ProtocolError, "MQTT5-3.3.1-2", "MQTT311-3.3.1-2",
        "PUBLISH has QoS 0 and DUP.");

    public static readonly Rule QoS3 = new(MalformedPacket, "MQTT5-3.3.1-4", "MQTT311-3.3.1-4",
        "PUBLISH has QoS 3.");

    public static readonly Rule PublishTopicHasWildcard = new(MalformedPacket, "MQTT5-3.3.2-2", "MQTT311-3.3.2-2",
        "The topic name of PUBLISH holds a wildcard.");

    public static readonly Rule PublishIdZeroFromServer = new(ProtocolError, "MQTT5-2.2.1-4", "MQTT311-2.3.1-1",
        "The packet identifier of PUBLISH is 0.");

    public static readonly Rule PublishIdZeroFromClient = new(ProtocolError, "MQTT5-2.2.1-3", "MQTT311-2.3.1-1",
        "The packet identifier of PUBLISH is 0.");

    public static readonly Rule SubscriptionIdentifierFromClient = new(ProtocolError, "MQTT5-3.3.4-6",
        "A client's PUBLISH has a subscription identifier.");

    public static readonly Rule ResponseTopicHasWildcard = new(MalformedPacket, "MQTT5-3.3.2-14",
        "The response topic holds a wildcard.");

    public static readonly Rule TopicAliasZero = new(TopicAliasInvalid, "MQTT5-3.3.2-8",
        "The topic alias is 0.");

    // Acknowledgements
    public static readonly Rule AckIdZero = new(ProtocolError, "MQTT5-2.2.1-5", "MQTT311-2.3.1-6",
        "The packet identifier of an acknowledgement is 0.");

    public static readonly Rule PubAckCode = new(MalformedPacket, "MQTT5-3.4.2-1",
        "PUBACK has a reason code that is not its own.");

    public static readonly Rule PubRecCode = new(MalformedPacket, "MQTT5-3.5.2-1",
        "PUBREC has a reason code that is not its own.");

    public static readonly Rule PubRelCode = new(MalformedPacket, "MQTT5-3.6.2-1",
        "PUBREL has a reason code that is not its own.");

    public static readonly Rule PubCompCode = new(MalformedPacket, "MQTT5-3.7.2-1",
        "PUBCOMP has a reason code that is not its own.");

    // SUBSCRIBE, UNSUBSCRIBE and their answers
    public static readonly Rule RequestIdZero = new(ProtocolError, "MQTT5-2.2.1-3", "MQTT311-2.3.1-1",
        "The packet identifier of SUBSCRIBE or UNSUBSCRIBE is 0.");

    public static readonly Rule AnswerIdZero = new(ProtocolError, "MQTT5-2.2.1-6", "MQTT311-2.3.1-7",
        "The packet identifier of SUBACK or UNSUBACK is 0.");

    public static readonly Rule SubscribeEmpty = new(ProtocolError, "MQTT5-3.8.3-2", "MQTT311-3.8.3-3",
        "SUBSCRIBE has no topic filter.");

    public static readonly Rule NoLocalOnShared = new(ProtocolError, "MQTT5-3.8.3-4",
        "A shared subscription has the no local option.");

    // 3.1.1 prints this statement's number with a hyphen in the place of the first dot.
    public static readonly Rule SubscriptionOptionsReserved = new(MalformedPacket, "MQTT5-3.8.3-5", "MQTT311-3-8.3-4",
        "The reserved bits of the subscription options are not 0.");

    public static readonly Rule SubscriptionQoS3 = new(ProtocolError, "MQTT5-3.8.3.1", "MQTT311-3-8.3-4",
        "SUBSCRIBE asks for QoS 3.");

    public static readonly Rule RetainHandling3 = new(ProtocolError, "MQTT5-3.8.3.1",
        "SUBSCRIBE asks for the retain handling 3.");

    public static readonly Rule SubAckEmpty = new(ProtocolError, "MQTT5-3.8.4-6", "MQTT311-3.8.4-5",
        "SUBACK has no code.");

    public static readonly Rule SubAckCode = new(MalformedPacket, "MQTT5-3.9.3-2", "MQTT311-3.9.3-2",
        "SUBACK has a code that is not its own.");

    public static readonly Rule UnsubscribeEmpty = new(ProtocolError, "MQTT5-3.10.3-2", "MQTT311-3.10.3-2",
        "UNSUBSCRIBE has no topic filter.");

    public static readonly Rule UnsubAckEmpty = new(ProtocolError, "MQTT5-3.11.3-1",
        "UNSUBACK has no reason code.");

    public static readonly Rule UnsubAckCode = new(MalformedPacket, "MQTT5-3.11.3-2",
        "UNSUBACK has a reason code that is not its own.");

    // DISCONNECT and AUTH
    public static readonly Rule DisconnectCode = new(MalformedPacket, "MQTT5-3.14.2-1",
        "DISCONNECT has a reason code that is not its own, or not this end's to send.");

    public static readonly Rule SessionExpiryFromServer = new(ProtocolError, "MQTT5-3.14.2-2",
        "A server's DISCONNECT has a session expiry interval.");

    public static readonly Rule ServerReferenceFromClient = new(ProtocolError, "MQTT5-3.14.2.2.5",
        "A client's DISCONNECT has a server reference.");

    public static readonly Rule AuthCode = new(MalformedPacket, "MQTT5-3.15.2-1",
        "AUTH has a reason code that is not its own, or not this end's to send.");

    public static readonly Rule AuthMethodMissing = new(ProtocolError, "MQTT5-3.15.2.2.2",
        "AUTH has no authentication method.");

    // Properties
    public static readonly Rule PropertyUnknown = new(MalformedPacket, "MQTT5-2.2.2.2",
        "A property identifier is not known.");

    public static readonly Rule PropertyTruncated = new(MalformedPacket, "MQTT5-2.2.2.2",
        "A property runs past the end of its section.");

    public static readonly Rule PropertyOutOfPlace = new(MalformedPacket, "MQTT5-2.2.2.2",
        "A property does not belong to this packet.");
}
