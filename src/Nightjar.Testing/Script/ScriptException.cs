namespace Nightjar.Testing;

/// <summary>The other end did not do what the script of a <see cref="ScriptedPeer"/> expects; the message says what it did.</summary>
public sealed class ScriptException : Exception
{
    /// <summary>Without an explanation.</summary>
    public ScriptException()
    {
    }

    /// <summary>With what was expected and what came.</summary>
    public ScriptException(string message)
        : base(message)
    {
    }

    /// <summary>With what was expected, what came, and its cause.</summary>
    public ScriptException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
