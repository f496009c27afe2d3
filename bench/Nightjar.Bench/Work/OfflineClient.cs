using System.Diagnostics.CodeAnalysis;
using Nightjar.Bench.Peer;

namespace Nightjar.Bench.Work;

/// <summary>A client that connects only when it is told to.</summary>
internal sealed class OfflineClient : IAsyncDisposable
{
    private readonly StoreDirectory? _files;
    private readonly bool _ownsFiles;
    private readonly Row _row;
    private readonly byte[] _payload;

    /// <param name="peer">Where it would connect.</param>
    /// <param name="row">What it does.</param>
    /// <param name="directory">Where its store lies, if it has one.</param>
    public OfflineClient(PeerEndpoint peer, Row row, string directory)
        : this(peer, row, row.Store is null ? null : new StoreDirectory(directory))
    {
        _ownsFiles = true;
    }

    /// <param name="peer">Where it would connect.</param>
    /// <param name="row">What it does.</param>
    /// <param name="files">Where its store lies; stays the caller's.</param>
    public OfflineClient(PeerEndpoint peer, Row row, StoreDirectory? files)
    {
        _row = row;
        _files = files;
        _payload = PublishTemplate.Payload(row.PayloadSize);
        Client = new MqttClient(new MqttClientOptions($"mqtt://127.0.0.1:{peer.MqttPort}")
        {
            // There is never time for a connection, unless it is asked for by hand.
            Connection = { Schedule = ConnectionSchedule.From(static _ => null) },
            DrainTimeout = TimeSpan.Zero,
            Session = { Store = files?.Open(row.Store!.Value) },
        });
    }

    public MqttClient Client { get; }

    /// <summary>Enqueues so many; with a store as many wait for their commit at once as the row has in flight.</summary>
    [SuppressMessage("Reliability", "CA2012:Use ValueTasks correctly", Justification = "Each is kept in the ring until it is awaited, once.")]
    public async Task EnqueueAsync(int messages)
    {
        var ring = new ValueTask<DeliveryReceipt>[_row.InFlight];
        for (var index = 0; index < messages + ring.Length; index++)
        {
            var place = index % ring.Length;
            await ring[place];
            ring[place] = index < messages ? Client.EnqueueAsync(Row.Topic, _payload, (QoS)_row.QoS) : default;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        if (_ownsFiles)
        {
            _files?.Dispose();
        }
    }
}
