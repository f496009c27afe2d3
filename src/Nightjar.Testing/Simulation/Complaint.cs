using System.Runtime.CompilerServices;

namespace Nightjar.Testing.Simulation;

/// <summary>The text of a broken rule, put together only if the rule is broken: a run checks thousands of them.</summary>
[InterpolatedStringHandler]
internal ref struct Complaint
{
    private DefaultInterpolatedStringHandler _text;

    public Complaint(int literalLength, int formattedCount, bool holds, out bool wanted)
    {
        wanted = !holds;
        _text = wanted ? new DefaultInterpolatedStringHandler(literalLength, formattedCount) : default;
    }

    public void AppendLiteral(string text) => _text.AppendLiteral(text);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    public string ToText() => _text.ToStringAndClear();
}
