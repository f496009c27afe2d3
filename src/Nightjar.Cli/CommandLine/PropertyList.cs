using System.Globalization;
using System.Text;

namespace Nightjar.Cli.CommandLine;

/// <summary>The properties that <c>-D</c> gave one packet.</summary>
internal sealed class PropertyList
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
    private readonly List<UserProperty> _userProperties = [];

    public bool IsEmpty => _values.Count == 0 && _userProperties.Count == 0;

    /// <summary>In the order of the command line.</summary>
    public IReadOnlyList<UserProperty> UserProperties => _userProperties;

    public void Add(UserProperty property) => _userProperties.Add(property);

    /// <summary>False if it is there already: every property but user-property may stand once.</summary>
    public bool TryAdd(string name, string value) => _values.TryAdd(name, value);

    public string? Text(string name) => _values.GetValueOrDefault(name);

    public ReadOnlyMemory<byte>? Binary(string name) => Text(name) is { } text ? (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(text) : null;

    /// <summary>The range was checked when it was read.</summary>
    public uint? Number(string name) => Text(name) is { } text ? uint.Parse(text, CultureInfo.InvariantCulture) : null;

    public TimeSpan? Seconds(string name) => Number(name) is { } seconds ? TimeSpan.FromSeconds(seconds) : null;
}
