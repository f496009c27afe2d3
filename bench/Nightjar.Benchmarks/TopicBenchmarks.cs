using BenchmarkDotNet.Attributes;
using Nightjar.Protocol.Topics;

namespace Nightjar.Benchmarks;

/// <summary>One topic against one filter, and against a trie of many.</summary>
[MemoryDiagnoser]
public class TopicBenchmarks
{
    private readonly TopicFilter _filter = TopicFilter.Parse("home/+/temperature/#");
    private readonly TopicTrie<object> _trie = new();
    private readonly List<object> _matches = [];

    /// <summary>How many filters the trie holds.</summary>
    [Params(1, 1000, 100_000)]
    public int Filters { get; set; }

    private static ReadOnlySpan<byte> Topic => "home/room-7/temperature/celsius"u8;

    [GlobalSetup]
    public void Setup()
    {
        _trie.Add(_filter, new object());
        for (var i = 1; i < Filters; i++)
        {
            _trie.Add(TopicFilter.Parse(i % 10 == 0 ? $"home/room-{i}/+/celsius" : $"home/room-{i}/temperature/celsius"), new object());
        }
    }

    [Benchmark]
    public bool OneFilter() => _filter.Matches(Topic);

    [Benchmark]
    public int Trie()
    {
        _matches.Clear();
        _trie.Match(Topic, _matches);
        return _matches.Count;
    }
}
