namespace Nightjar.Protocol.Topics;

/// <summary>
/// Finds the values whose filter matches a topic; time grows with the topic's levels, not with the number of filters. Not thread-safe:
/// the owner guards it, or replaces it whole.
/// </summary>
/// <typeparam name="T">What is found; a value may stand under several filters, and several values under one.</typeparam>
public sealed class TopicTrie<T>
    where T : notnull
{
    /// <summary>How many (filter, value) pairs it holds.</summary>
    public int Count => throw new NotSupportedException("skeleton");

    /// <summary>Adds a value under a filter's pattern.</summary>
    public void Add(in TopicFilter filter, T value) => throw new NotSupportedException("skeleton");

    /// <summary>Removes one such value; false if it was not there. Empty branches are pruned.</summary>
    public bool Remove(in TopicFilter filter, T value) => throw new NotSupportedException("skeleton");

    /// <summary>Appends the values of all matching filters (one value under two matching filters comes twice). Allocates nothing but the list's growth.</summary>
    public void Match(ReadOnlySpan<byte> topicUtf8, List<T> matches) => throw new NotSupportedException("skeleton");
}
