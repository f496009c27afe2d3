using System.Net;

namespace Nightjar.Transport;

/// <summary>
/// Tries the addresses of one server at the same time, each starting a little after the one before (RFC 8305, 5): a dead address costs a quarter of a second and not a
/// TCP timeout. The first that answers wins; what the others still bring is closed. One that fails lets the next start at once.
/// </summary>
/// <param name="connect">Opens a stream to one address. It should end soon when it is cancelled; nobody waits for it.</param>
/// <param name="timeProvider">Counts the delay.</param>
internal sealed class AddressRace(Func<IPAddress, CancellationToken, Task<Stream>> connect, TimeProvider timeProvider)
{
    /// <summary>Between two starts. The recommended value (RFC 8305, 8): longer than most round trips, shorter than anybody's patience.</summary>
    public static readonly TimeSpan AttemptDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// The stream of the winner; null if all failed, and then <paramref name="failures"/> has one entry for each address, in the order of their starts.
    /// </summary>
    public async ValueTask<Stream?> RunAsync(IReadOnlyList<IPAddress> addresses, List<(IPAddress Address, Exception Error)> failures, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var starts = new List<(IPAddress Address, Task<Stream> Task)>(addresses.Count);
        var running = new List<Task>(addresses.Count + 1);
        Stream? winner = null;
        try
        {
            while (winner is null && (starts.Count < addresses.Count || running.Count > 0))
            {
                if (starts.Count < addresses.Count)
                {
                    var address = addresses[starts.Count];
                    starts.Add((address, connect(address, over.Token)));
                    running.Add(starts[^1].Task);
                }

                await NextAsync(running, mayStartAnother: starts.Count < addresses.Count, over.Token).ConfigureAwait(false);
                running.RemoveAll(task => task.IsFaulted || task.IsCanceled);
                winner = starts.Find(start => start.Task.IsCompletedSuccessfully).Task is { } won ? await won.ConfigureAwait(false) : null;
                if (winner is null)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                }
            }

            failures.AddRange(starts.Where(start => !start.Task.IsCompletedSuccessfully && start.Task.IsCompleted).Select(start => (start.Address, ErrorOf(start.Task))));
            return winner;
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            foreach (var (_, task) in starts)
            {
                _ = DiscardAsync(task, winner);
            }
        }
    }

    /// <summary>Waits until an attempt ends, or until it is time for the next.</summary>
    private async Task NextAsync(List<Task> running, bool mayStartAnother, CancellationToken cancellationToken)
    {
        Task any = Task.WhenAny(running);
        if (!mayStartAnother)
        {
            await any.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        using var stopDelay = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(any, Task.Delay(AttemptDelay, timeProvider, stopDelay.Token)).ConfigureAwait(false);
        await stopDelay.CancelAsync().ConfigureAwait(false);
    }

    private static Exception ErrorOf(Task task) => task.Exception?.InnerException ?? new OperationCanceledException();

    /// <summary>A loser that arrives after all is closed, and how it failed is nobody's concern.</summary>
    private static async Task DiscardAsync(Task<Stream> task, Stream? winner)
    {
        await ((Task)task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        if (task.IsCompletedSuccessfully && await task.ConfigureAwait(false) is var stream && stream != winner)
        {
            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }
}
