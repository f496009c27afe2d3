namespace Nightjar.Testing.Simulation;

/// <summary>What must be true of every message when a run has come to its end.</summary>
internal static class FinalChecks
{
    public static void Check(World world)
    {
        foreach (var record in world.Outgoing)
        {
            Check(world, record);
        }

        foreach (var record in world.Incoming)
        {
            Check(world, record);
        }

        world.Require(world.Client.SaidGoodbye, "the client ended without DISCONNECT");
        world.Client.CheckEmpty();
        world.Client.CheckLength();
    }

    private static void Check(World world, OutgoingRecord record)
    {
        world.Require(record.Ends == (record.HasWaiter && !record.Detached ? 1 : 0), $"the wait for {record} ended {record.Ends} times");
        if (record.QoS == QoS.AtMostOnce)
        {
            world.Require(record.Accepted <= 1, $"{record} arrived {record.Accepted} times");
            return;
        }

        var isGone = record.Withdrawn || record.IsRefused || record.IsDropped;
        world.Require(record.Accepted > 0 || isGone || record.MayBeLost, $"{record} was lost");
        world.Require(record.Accepted == 0 || !isGone || record.IsBack, $"{record} was withdrawn, refused or dropped, and arrived all the same");

        // A session that was lost is the one reason why QoS 2 may arrive twice; where the protocol lets the client notice, it says so.
        var mayRepeat = world.SessionIsUnknown || record.Detached || record.IsBack || record.Flags.HasFlag(PublishFlags.PossiblyDuplicated);
        world.Require(record.QoS == QoS.AtLeastOnce || record.Accepted <= 1 || mayRepeat, $"{record} arrived {record.Accepted} times and its result does not say so");
    }

    private static void Check(World world, IncomingRecord record)
    {
        if (record.QoS == QoS.AtMostOnce || record.Forgotten)
        {
            return;
        }

        world.Require(record.Handled + record.Refused + record.Effects > 0 || record.IsKept || record.Unwanted || (record.QoS == QoS.ExactlyOnce && world.SessionIsAmbiguous), $"{record} was never handled");
        world.Require(record.QoS == QoS.AtLeastOnce || record.Handled <= 1 || record.DeliveryIds.Count == 1 || world.SessionIsAmbiguous && world.Log is not null, $"{record} was handled {record.Handled} times");
    }
}
