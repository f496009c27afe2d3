using System.Globalization;
using System.Text;
using Nightjar.Protocol.Engine;

namespace Nightjar.Testing.Simulation;

/// <content>What the outbox, the store and the application know of it.</content>
internal sealed partial class OutgoingRecord
{
    private byte[]? _id;

    /// <summary>The application's own identifier; empty: none, since nobody asks for a receipt.</summary>
    public ReadOnlySpan<byte> Id => HasReceipt ? _id ??= Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"m{number}")) : default;

    /// <summary>It was enqueued; otherwise its sender waits for the end.</summary>
    public bool HasReceipt { get; init; }

    /// <summary>How long it may wait; 0: for ever.</summary>
    public long TimeToLive { get; init; }

    public WhenOffline WhenOffline { get; init; }

    /// <summary>It waits for room; null: it does not.</summary>
    public RoomRequest? Room { get; set; }

    /// <summary>When its time is over; 0: never.</summary>
    public long ExpiresAt { get; set; }

    /// <summary>Its receipt says that it is stored.</summary>
    public bool IsStored { get; set; }

    /// <summary>Its receipt says that it was sent.</summary>
    public bool IsSent { get; set; }

    /// <summary>What the log calls it; 0: it is not there.</summary>
    public long Record { get; set; }

    /// <summary>The first record that gives it a packet identifier; 0: there is none.</summary>
    public long AssignedAt { get; set; }

    /// <summary>The record that says that it is done; 0: there is none, or it was lost in a crash.</summary>
    public long EndedAt { get; set; }

    /// <summary>It was refused at the door of the outbox.</summary>
    public bool IsRefused { get; set; }

    /// <summary>It was dropped, and its sender knows.</summary>
    public bool IsDropped { get; set; }

    /// <summary>How often this process reported that it is dropped.</summary>
    public int DropReports { get; set; }

    /// <summary>It was lost in a crash before anybody was told that it is safe, and nobody can enqueue it again.</summary>
    public bool MayBeLost { get; set; }

    /// <summary>It had ended, and the record of that was lost in a crash.</summary>
    public bool IsBack { get; set; }

    /// <summary>Its place among everything that was ever written for the first time; 0: it was not.</summary>
    public long SendOrder { get; set; }

    /// <summary>The broker's session in which that was.</summary>
    public int OrderedIn { get; set; }

    /// <summary>The process that knew it is gone.</summary>
    public void Forget()
    {
        Room = null;
        HasWaiter = false;
        Detached = false;
        IsSent = false;
        Ends = 0;
    }
}
