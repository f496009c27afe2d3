namespace Nightjar;

/// <summary>A user name and a password. Immutable.</summary>
/// <param name="userName">At most 65,535 bytes of UTF-8; may be null in 5.0 (a password alone).</param>
/// <param name="password">Binary, at most 65,535 bytes; may be null.</param>
public sealed class MqttCredentials(string? userName, ReadOnlyMemory<byte>? password)
{
    /// <summary>A user name without a password.</summary>
    public MqttCredentials(string userName)
        : this(userName, (ReadOnlyMemory<byte>?)null)
    {
    }

    /// <summary>With a password of text, sent as UTF-8.</summary>
    public MqttCredentials(string? userName, string? password)
        : this(userName, password is null ? (ReadOnlyMemory<byte>?)null : System.Text.Encoding.UTF8.GetBytes(password))
    {
    }

    /// <summary>The user name.</summary>
    public string? UserName { get; } = userName;

    /// <summary>The password.</summary>
    public ReadOnlyMemory<byte>? Password { get; } = password;

    /// <summary>The user name; never the password.</summary>
    public override string ToString() => Password is null ? $"{UserName}" : $"{UserName}:***";

    /// <summary>A copy of its own, in case the caller wipes the password's memory.</summary>
    internal MqttCredentials Snapshot() => new(UserName, Password is { } password ? password.ToArray() : (ReadOnlyMemory<byte>?)null);
}
