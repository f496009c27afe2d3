using System.Runtime.CompilerServices;

namespace Nightjar.Protocol.Topics;

/// <summary>
/// Finds the values whose filter matches a topic; time grows with the topic's levels, not with the number of filters. Not thread-safe:
/// the owner guards it, or replaces it whole. Several threads may match at once while nobody changes it.
/// </summary>
/// <typeparam name="T">What is found; a value may stand under several filters, and several values under one.</typeparam>
public sealed partial class TopicTrie<T>
    where T : notnull
{
    private readonly Node _root = new(null, []);

    /// <summary>How many (filter, value) pairs it holds.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a value under a filter's pattern; the same pair may be added several times.</summary>
    /// <exception cref="ArgumentException">The filter is the default value, which has no pattern.</exception>
    public void Add(in TopicFilter filter, T value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var rest = filter.PatternUtf8;
        if (rest.IsEmpty)
        {
            throw new ArgumentException("The filter is empty; parse one.", nameof(filter));
        }

        var node = _root;
        while (true)
        {
            var level = NextLevel(ref rest, out var last);
            if (level.SequenceEqual("#"u8))
            {
                (node.Below ??= []).Add(value);
                break;
            }

            node = Descend(node, level) ?? Grow(node, level);
            if (last)
            {
                (node.Here ??= []).Add(value);
                break;
            }
        }

        Count++;
    }

    /// <summary>Removes one such value from under the filter's pattern; false if it was not there. Empty branches are pruned.</summary>
    public bool Remove(in TopicFilter filter, T value)
    {
        ArgumentNullException.ThrowIfNull(value);
        var rest = filter.PatternUtf8;
        if (rest.IsEmpty)
        {
            return false;
        }

        var node = _root;
        while (true)
        {
            var level = NextLevel(ref rest, out var last);
            if (level.SequenceEqual("#"u8))
            {
                return Remove(ref node.Below, value, node);
            }

            var child = Descend(node, level);
            if (child is null)
            {
                return false;
            }

            node = child;
            if (last)
            {
                return Remove(ref node.Here, value, node);
            }
        }
    }

    /// <summary>
    /// Appends the values of all matching filters, in no particular order (one value under two matching filters comes twice). Allocates
    /// nothing but the list's growth, as long as a topic meets fewer than eight levels in a row that have both a name and a <c>+</c>.
    /// </summary>
    /// <param name="topicUtf8">A topic name; an empty one matches nothing.</param>
    /// <param name="matches">What was found is added to it.</param>
    public void Match(ReadOnlySpan<byte> topicUtf8, List<T> matches)
    {
        ArgumentNullException.ThrowIfNull(matches);
        if (topicUtf8.IsEmpty)
        {
            return;
        }

        // Open branches wait here and not on the call stack: a filter may have 65,535 levels.
        var buffer = default(BranchBuffer);
        Span<Branch> branches = buffer;
        var open = 0;

        var node = _root;
        var start = 0;
        var wildcards = topicUtf8[0] != (byte)'$';
        while (true)
        {
            if (wildcards)
            {
                Append(node.Below, matches);
            }

            if (start > topicUtf8.Length)
            {
                Append(node.Here, matches);
                node = null;
            }
            else
            {
                var rest = topicUtf8[start..];
                var slash = rest.IndexOf((byte)'/');
                var level = slash < 0 ? rest : rest[..slash];
                start += level.Length + 1;

                var plus = wildcards ? node.Plus : null;
                node = node.Children?.Find(level);
                if (node is null)
                {
                    node = plus;
                }
                else if (plus is not null)
                {
                    if (open == branches.Length)
                    {
                        var larger = new Branch[open * 2];
                        branches.CopyTo(larger);
                        branches = larger;
                    }

                    branches[open++] = new Branch(plus, start);
                }
            }

            // Only a leading '$' is hidden from wildcards.
            wildcards = true;
            if (node is null)
            {
                if (open == 0)
                {
                    return;
                }

                (node, start) = branches[--open];
            }
        }
    }

    private static ReadOnlySpan<byte> NextLevel(ref ReadOnlySpan<byte> rest, out bool last)
    {
        var slash = rest.IndexOf((byte)'/');
        last = slash < 0;
        var level = last ? rest : rest[..slash];
        rest = last ? default : rest[(slash + 1)..];
        return level;
    }

    private static Node? Descend(Node node, ReadOnlySpan<byte> level) => level.SequenceEqual("+"u8) ? node.Plus : node.Children?.Find(level);

    private static Node Grow(Node node, ReadOnlySpan<byte> level)
    {
        var child = new Node(node, level.ToArray());
        if (child.IsPlus)
        {
            node.Plus = child;
        }
        else
        {
            (node.Children ??= new LevelTable<Node>()).Add(child.Level, child);
        }

        return child;
    }

    private static void Append(List<T>? values, List<T> matches)
    {
        if (values is null)
        {
            return;
        }

        for (var i = 0; i < values.Count; i++)
        {
            matches.Add(values[i]);
        }
    }

    private bool Remove(ref List<T>? values, T value, Node? node)
    {
        if (values is null || !values.Remove(value))
        {
            return false;
        }

        if (values.Count == 0)
        {
            values = null;
        }

        Count--;
        while (node?.Parent is { } parent && node.IsEmpty)
        {
            if (node.IsPlus)
            {
                parent.Plus = null;
            }
            else
            {
                parent.Children!.Remove(node.Level);
                parent.Children = parent.Children.Count == 0 ? null : parent.Children;
            }

            node = parent;
        }

        return true;
    }

    private sealed class Node(Node? parent, byte[] level)
    {
        /// <summary>The values of filters that end here.</summary>
        public List<T>? Here;

        /// <summary>The values of filters that go on with <c>#</c>.</summary>
        public List<T>? Below;

        public Node? Plus;

        public LevelTable<Node>? Children;

        public Node? Parent { get; } = parent;

        public byte[] Level { get; } = level;

        public bool IsPlus { get; } = level.AsSpan().SequenceEqual("+"u8);

        public bool IsEmpty => Here is null && Below is null && Plus is null && Children is null;
    }

    /// <summary>A node yet to be visited, and where its level starts in the topic.</summary>
    private readonly record struct Branch(Node Node, int Start);

    [InlineArray(8)]
    private struct BranchBuffer
    {
        private Branch _first;
    }
}
