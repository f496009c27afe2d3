namespace Nightjar.Bench.Peer;

/// <summary>What the sink has counted.</summary>
/// <param name="Messages">PUBLISH packets on this connection.</param>
/// <param name="PayloadBytes">Their payloads, together.</param>
/// <param name="Timestamp">When the last of them had arrived, in the ticks of <see cref="System.Diagnostics.Stopwatch"/>, which all processes of a machine share.</param>
public readonly record struct SinkReport(long Messages, long PayloadBytes, long Timestamp);

/// <summary>What the source has sent.</summary>
/// <param name="Messages">PUBLISH packets.</param>
/// <param name="Started">Just before the first.</param>
/// <param name="Ended">When the last was handed to the socket or, at QoS 1, when the last PUBACK had arrived.</param>
public readonly record struct SourceReport(long Messages, long Started, long Ended);
