using System.Globalization;
using Xunit;

namespace Nightjar.Interop.Tests.Durable;

/// <summary>What a subscriber that was killed again and again wrote down: for each of its lives the deliveries, in order.</summary>
internal sealed class DeliveryFile
{
    private readonly List<List<(long DeliveryId, string Payload)>> _lives = [];

    public DeliveryFile(string path)
    {
        var text = File.ReadAllText(path);
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        foreach (var line in text[..^1].Split('\n'))
        {
            if (line == "start")
            {
                _lives.Add([]);
                continue;
            }

            // What was written with one call is there as a whole or not at all; anything else is no line of ours.
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            _lives[^1].Add((long.Parse(line.AsSpan(0, space), CultureInfo.InvariantCulture), line[(space + 1)..]));
        }
    }

    /// <summary>How often the program got so far as to open the file.</summary>
    public int Lives => _lives.Count;

    /// <summary>All that was written.</summary>
    public int Deliveries => _lives.Sum(life => life.Count);

    /// <summary>What was written a second time, under the same number.</summary>
    public int Repetitions => Deliveries - _lives.SelectMany(life => life).DistinctBy(delivery => delivery.DeliveryId).Count();

    /// <summary>The most that one kill had to repeat.</summary>
    public int MostRepetitions { get; private set; }

    /// <summary>Each number from 1 on came once, or once at least, after equal delivery numbers are discarded.</summary>
    public void AssertComplete(int messages, bool exactlyOnce)
    {
        var all = _lives.SelectMany(life => life).ToList();
        Assert.All(all, delivery => Assert.True(delivery.DeliveryId > 0, $"'{delivery.Payload}' came without a delivery number."));
        foreach (var delivery in all.GroupBy(delivery => delivery.DeliveryId))
        {
            Assert.True(delivery.DistinctBy(written => written.Payload).Count() == 1, $"The delivery number {delivery.Key} was given to several messages.");
        }

        var counts = new int[messages + 1];
        foreach (var (_, payload) in all.DistinctBy(delivery => delivery.DeliveryId))
        {
            if (int.TryParse(payload, CultureInfo.InvariantCulture, out var number))
            {
                counts[number]++;
            }
        }

        var lost = Enumerable.Range(1, messages).Where(number => counts[number] == 0).ToList();
        var twice = Enumerable.Range(1, messages).Where(number => counts[number] > 1).ToList();
        Assert.True(lost.Count == 0, $"{lost.Count} lost: {string.Join(", ", lost.Take(20))}");
        Assert.True(!exactlyOnce || twice.Count == 0, $"{twice.Count} came twice under different delivery numbers: {string.Join(", ", twice.Take(20))}");
    }

    /// <summary>
    /// A message is delivered again only if its handler had not been recorded as ended when the process was killed: what a life has in common with a later one is the end of it, and nothing before.
    /// </summary>
    public void AssertRepeatedOnlyAtTheEndOfALife()
    {
        var later = new HashSet<long>();
        for (var life = _lives.Count - 1; life >= 0; life--)
        {
            var deliveries = _lives[life];
            Assert.True(deliveries.DistinctBy(delivery => delivery.DeliveryId).Count() == deliveries.Count, $"Life {life} got the same delivery twice.");
            var repeated = deliveries.FindAll(delivery => later.Contains(delivery.DeliveryId));
            Assert.True(
                deliveries.TakeLast(repeated.Count).SequenceEqual(repeated),
                $"Life {life} had {deliveries.Count} deliveries; {repeated.Count} came again later, and these are not its last: {string.Join(", ", repeated.Take(20))}");
            MostRepetitions = Math.Max(MostRepetitions, repeated.Count);
            later.UnionWith(deliveries.Select(delivery => delivery.DeliveryId));
        }
    }
}
