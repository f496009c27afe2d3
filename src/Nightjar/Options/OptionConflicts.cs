using System.Buffers;
using System.Globalization;
using System.Text;
using Nightjar.Protocol.Topics;

namespace Nightjar;

/// <summary>Gathers what is wrong with options, one line each, so that one exception can tell it all. The lines name options, never secrets.</summary>
internal sealed class OptionConflicts
{
    // The wire counts seconds in four bytes; the largest number means "for ever" where that exists.
    private const uint MaximumSeconds = uint.MaxValue - 1;

    // The length of a string or of binary data is two bytes on the wire (MQTT 5, 1.5.4 and 1.5.6).
    private const int MaximumLength = ushort.MaxValue;

    // Timers of .NET count milliseconds in four bytes, their largest number excluded.
    public static readonly TimeSpan MaximumTimer = TimeSpan.FromMilliseconds(uint.MaxValue - 1);

    private readonly List<string> _lines = [];

    public void Add(string line) => _lines.Add(line);

    public void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            _lines.Add(otherwise);
        }
    }

    public void NotNull(string name, object? value) => Require(value is not null, $"{name} is null; leave its default, or set a value.");

    public void Range(string name, int value, int minimum, int maximum) =>
        Require(value >= minimum && value <= maximum, $"{name} is {value}; it must be from {minimum} to {maximum}.");

    public void Defined<T>(string name, T value)
        where T : struct, Enum => Require(Enum.IsDefined(value), $"{name} is {value}; it must be one of {string.Join(", ", Enum.GetNames<T>())}.");

    /// <summary>A time that goes to the wire as a number of seconds.</summary>
    public void Seconds(string name, TimeSpan value, uint maximum = MaximumSeconds, bool orForever = false)
    {
        var fits = value >= TimeSpan.Zero && value <= TimeSpan.FromSeconds(maximum) && value.Ticks % TimeSpan.TicksPerSecond == 0;
        Require(
            fits || (orForever && value == Timeout.InfiniteTimeSpan),
            $"{name} is {Text(value)}; it must be whole seconds from 0 to {maximum}{(orForever ? ", or Timeout.InfiniteTimeSpan" : "")}.");
    }

    /// <summary>A time that a timer waits for.</summary>
    public void Timer(string name, TimeSpan value, bool orZero = false, bool orForever = false) => Require(
        (value > TimeSpan.Zero && value <= MaximumTimer) || (orZero && value == TimeSpan.Zero) || (orForever && value == Timeout.InfiniteTimeSpan),
        $"{name} is {Text(value)}; it must be {(orZero ? "from zero" : "more than zero and")} up to 49 days{(orForever ? ", or Timeout.InfiniteTimeSpan" : "")}.");

    /// <summary>The same, where null means that there is none.</summary>
    public void OptionalTimer(string name, TimeSpan? value)
    {
        if (value is { } set)
        {
            Timer(name, set);
        }
    }

    /// <summary>A text that goes to the wire; null is left to others.</summary>
    public void Utf8(string name, string? text)
    {
        var bytes = 0;
        for (var rest = text.AsSpan(); rest is not [];)
        {
            if (Rune.DecodeFromUtf16(rest, out var rune, out var used) != OperationStatus.Done || rune.Value == 0)
            {
                Add($"{name} holds U+0000 or a lone surrogate, which MQTT forbids [MQTT5-1.5.4-1, MQTT5-1.5.4-2]; remove it.");
                return;
            }

            bytes += rune.Utf8SequenceLength;
            rest = rest[used..];
        }

        Require(bytes <= MaximumLength, $"{name} is {bytes} bytes long as UTF-8; at most {MaximumLength} are allowed.");
    }

    /// <summary>Bytes that go to the wire.</summary>
    public void Binary(string name, ReadOnlyMemory<byte>? data) =>
        Require(data is not { Length: > MaximumLength }, $"{name} is {data?.Length} bytes long; at most {MaximumLength} are allowed.");

    public void Topic(string name, string? topic)
    {
        if ((topic is null ? "It is null; set a topic name." : TopicName.Validate(topic)) is { } wrong)
        {
            Add($"{name}: {wrong}");
        }
    }

    public void UserProperties(string name, IEnumerable<UserProperty>? properties)
    {
        NotNull(name, properties);
        foreach (var (index, property) in (properties ?? []).Index())
        {
            NotNull($"{name}[{index}].Name", property.Name);
            NotNull($"{name}[{index}].Value", property.Value);
            Utf8($"{name}[{index}].Name", property.Name);
            Utf8($"{name}[{index}].Value", property.Value);
        }
    }

    /// <summary>Throws one <see cref="ArgumentException"/> with all lines, if there is any.</summary>
    public void ThrowIfAny(string verdict, string parameterName)
    {
        if (_lines.Count > 0)
        {
            var lines = string.Concat(_lines.Select(line => $"{Environment.NewLine}- {line}"));
            throw new ArgumentException($"{verdict}; please change:{lines}{Environment.NewLine}", parameterName);
        }
    }

    private static string Text(TimeSpan value) =>
        value == Timeout.InfiniteTimeSpan ? "infinite" : string.Create(CultureInfo.InvariantCulture, $"{value.TotalSeconds:0.#######} s");
}
