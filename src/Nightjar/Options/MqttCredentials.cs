namespace Nightjar;

/// <summary>A user name and a password.</summary>
/// <param name="userName">May be null in 5.0 (a password alone).</param>
/// <param name="password">Binary; may be null.</param>
public sealed class MqttCredentials(string? userName, ReadOnlyMemory<byte>? password)
{
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
}
