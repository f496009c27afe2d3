namespace Nightjar.Protocol.Topics;

// Filters against filters.
public sealed partial class TopicTrie<T>
{
    /// <summary>
    /// Appends the values of all filters that share a topic with this one: that there is a topic name which both match. Costs what it finds, not what there is.
    /// </summary>
    internal void Overlapping(in TopicFilter filter, List<T> found)
    {
        var levels = filter.Pattern.Split('/');
        var utf8 = new byte[levels.Length][];
        for (var i = 0; i < levels.Length; i++)
        {
            utf8[i] = System.Text.Encoding.UTF8.GetBytes(levels[i]);
        }

        // On the heap, not the call stack: a filter may have 65,535 levels.
        var open = new Stack<(Node Node, int Level)>();
        var children = new Stack<Node>();
        open.Push((_root, 0));
        while (open.TryPop(out var next))
        {
            var (node, level) = next;

            // Neither wildcard matches a leading '$'.
            var isFirst = level == 0;
            var isHidden = isFirst && utf8[0] is [(byte)'$', ..];
            if (!isHidden)
            {
                Append(node.Below, found);
            }

            if (level == utf8.Length)
            {
                Append(node.Here, found);
                continue;
            }

            if (levels[level] == "#")
            {
                AppendAll(node, isFirst, found);
            }
            else if (levels[level] == "+")
            {
                node.Children?.CopyTo(children, hidden: !isFirst);
                while (children.TryPop(out var child))
                {
                    open.Push((child, level + 1));
                }
            }
            else if (node.Children?.Find(utf8[level]) is { } named)
            {
                open.Push((named, level + 1));
            }

            if (levels[level] != "#" && node.Plus is { } plus && !isHidden)
            {
                open.Push((plus, level + 1));
            }
        }
    }

    /// <summary>The node itself and everything under it; its own <c>#</c> is appended already.</summary>
    private static void AppendAll(Node node, bool isRoot, List<T> found)
    {
        var open = new Stack<Node>();
        Append(node.Here, found);
        node.Children?.CopyTo(open, hidden: !isRoot);
        if (node.Plus is { } plus)
        {
            open.Push(plus);
        }

        while (open.TryPop(out var below))
        {
            Append(below.Here, found);
            Append(below.Below, found);
            below.Children?.CopyTo(open, hidden: true);
            if (below.Plus is { } wildcard)
            {
                open.Push(wildcard);
            }
        }
    }
}
