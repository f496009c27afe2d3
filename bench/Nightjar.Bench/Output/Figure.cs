namespace Nightjar.Bench.Output;

/// <summary>Figures as people read them: three digits that mean something.</summary>
internal static class Figure
{
    public const string None = "-";

    public static string Rate(double? perSecond) => perSecond switch
    {
        null => None,
        >= 1e6 => $"{Digits(perSecond.Value / 1e6)}M",
        >= 1e3 => $"{Digits(perSecond.Value / 1e3)}k",
        _ => $"{perSecond:F0}",
    };

    public static string Digits(double? value) => value switch
    {
        null => None,
        >= 100 => $"{value:F0}",
        >= 10 => $"{value:F1}",
        >= 0.1 => $"{value:F2}",
        _ => $"{value:F3}",
    };
}
