namespace Nightjar.Protocol.Codec;

/// <summary>The return codes that CONNACK has in 3.1 and 3.1.1 (3.2.2.3), and their counterparts in 5.0.</summary>
internal static class ConnAckReturnCode
{
    private static ReadOnlySpan<byte> Counterparts =>
    [
        (byte)ReasonCode.Success,
        (byte)ReasonCode.UnsupportedProtocolVersion,
        (byte)ReasonCode.ClientIdentifierNotValid,
        (byte)ReasonCode.ServerUnavailable,
        (byte)ReasonCode.BadUserNameOrPassword,
        (byte)ReasonCode.NotAuthorized,
    ];

    /// <summary>False for the codes that 3.1.1 reserves: 6 and above.</summary>
    public static bool TryRead(byte returnCode, out ReasonCode code)
    {
        bool known = returnCode < Counterparts.Length;
        code = known ? (ReasonCode)Counterparts[returnCode] : default;
        return known;
    }

    /// <summary>The return code that says the same.</summary>
    /// <exception cref="ArgumentException">There is none: the server then closes without CONNACK [MQTT311-3.2.2-6].</exception>
    public static byte From(ReasonCode code)
    {
        int returnCode = Counterparts.IndexOf((byte)code);
        return returnCode >= 0
            ? (byte)returnCode
            : throw new ArgumentException($"{code} has no counterpart in 3.1 and 3.1.1; close without CONNACK.", nameof(code));
    }
}
