using Nightjar.Protocol.Topics;

namespace Nightjar.Testing;

/// <summary>What a simulation plays. All of it has a default; what is left open is chosen by the seed.</summary>
/// <remarks>Not changed by a run; the same object may serve many runs at once, if <see cref="Handler"/> may be called from several threads.</remarks>
public sealed class SimulationOptions
{
    /// <summary>The version of the first connection. Default: by the seed.</summary>
    public MqttVersion? Version { get; set; }

    /// <summary>How many messages go in each direction, at least; QoS 0, 1 and 2 and retained ones are mixed by the seed. Default: 100.</summary>
    public int Publishes { get; set; } = 100;

    /// <summary>How many faults there are at least. The seed adds up to five. Default: 3. Without effect if <see cref="FaultKinds"/> is empty.</summary>
    public int Faults { get; set; } = 3;

    /// <summary>The faults to choose from, as far as they can be in a run. Default: all. Empty: none.</summary>
    public IReadOnlyList<SimulatedFault> FaultKinds { get; set; } = Enum.GetValues<SimulatedFault>();

    /// <summary>Connections that break at a given byte, besides the faults: the first entry is for the first connection, and so on. Default: none.</summary>
    public IReadOnlyList<SimulatedCut> Cuts { get; set; } = [];

    /// <summary>The topics that the client publishes to. Default: three.</summary>
    public IReadOnlyList<string> PublishedTopics { get; set; } = ["out/kitchen", "out/cellar/temperature", "out/roof"];

    /// <summary>The filters that the client subscribes to, each with a handler of its own. They should not overlap: servers may then send two copies. Default: three.</summary>
    public IReadOnlyList<string> Filters { get; set; } = ["in/+/state", "in/+/alarm", "commands/#"];

    /// <summary>The topics that others publish to; each should match a filter. Default: four.</summary>
    public IReadOnlyList<string> ReceivedTopics { get; set; } = ["in/kitchen/state", "in/cellar/state", "in/kitchen/alarm", "commands/reboot"];

    /// <summary>
    /// What a handler does with a message; it must depend on nothing but its argument, or a replay shows something else. Default: by the seed, mostly at once.
    /// The faults that concern handlers come on top of it.
    /// </summary>
    public Func<SimulatedMessage, SimulatedHandling>? Handler { get; set; }

    /// <summary>Both sides' Receive Maximum, 1 to 1,000. Default: by the seed, 1 to 16.</summary>
    public int? ReceiveMaximum { get; set; }

    /// <summary>Whether the client's session is in a store, which is what it can crash with. Default: by the seed.</summary>
    public bool? Store { get; set; }

    /// <summary>Throws if a run could not be played with these.</summary>
    internal static void ThrowIfInvalid(SimulationOptions options)
    {
        if (Conflict(options) is { } conflict)
        {
            throw new ArgumentException(conflict, nameof(options));
        }
    }

    private static string? Conflict(SimulationOptions options)
    {
        if (options.Version is { } version && !Enum.IsDefined(version))
        {
            return $"Version is {version}; it is one of {string.Join(", ", Enum.GetNames<MqttVersion>())}, or null.";
        }

        if (options is not { FaultKinds: not null, Cuts: not null, PublishedTopics: not null, Filters: not null, ReceivedTopics: not null })
        {
            return "FaultKinds, Cuts, PublishedTopics, Filters and ReceivedTopics are not null; leave them out to have the default ones.";
        }

        if (options.FaultKinds.Any(kind => !Enum.IsDefined(kind)))
        {
            return "FaultKinds has one that is none; leave it out to have all.";
        }

        if (options.Publishes < 0 || options.Faults < 0 || options.ReceiveMaximum is < 1 or > 1_000)
        {
            return $"Publishes ({options.Publishes}) and Faults ({options.Faults}) are 0 or more, ReceiveMaximum ({options.ReceiveMaximum}) is 1 to 1,000.";
        }

        if (options.PublishedTopics.Count == 0 || options.ReceivedTopics.Count == 0)
        {
            return "PublishedTopics and ReceivedTopics have one topic at least; leave them out to have the default ones.";
        }

        foreach (var topic in options.PublishedTopics.Concat(options.ReceivedTopics))
        {
            if (TopicName.Validate(topic) is { } error)
            {
                return error;
            }
        }

        var filters = options.Filters.Select(TopicFilter.Parse).ToList();
        return options.ReceivedTopics.FirstOrDefault(topic => !filters.Exists(filter => filter.Matches(topic))) is { } unheard
            ? $"Nobody would hear what is published to '{unheard}': no filter matches it. Add one to Filters."
            : null;
    }
}
