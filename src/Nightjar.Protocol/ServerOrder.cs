namespace Nightjar;

/// <summary>In which order several servers are tried.</summary>
public enum ServerOrder
{
    /// <summary>As listed: the first is preferred.</summary>
    AsListed,

    /// <summary>In an order that each client draws for itself, so that many clients spread over the servers.</summary>
    Random,
}
