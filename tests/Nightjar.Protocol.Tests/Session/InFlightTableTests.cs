using Nightjar.Protocol.Session;
using Xunit;

namespace Nightjar.Protocol.Tests.Session;

public sealed class InFlightTableTests
{
    [Fact(DisplayName = "[MQTT5-2.2.1-3] Identifiers go round, never 0 and never one in use")]
    public void Identifiers_go_round_without_zero_and_without_those_in_use()
    {
        var table = new InFlightTable();
        var kept = table.Add(InFlightPhase.PubAck, handle: 7);
        Assert.Equal(1, kept);

        for (var id = 2; id <= ushort.MaxValue; id++)
        {
            var next = table.Add(InFlightPhase.PubAck, id);
            Assert.Equal(id, next);
            table.Remove(next);
        }

        Assert.Equal(2, table.Add(InFlightPhase.PubAck, handle: 8));
        Assert.Equal(7, table.HandleOf(kept));
        Assert.Equal(2, table.Count);
    }

    [Fact]
    public void An_identifier_is_not_given_out_again_soon_after_its_answer()
    {
        var table = new InFlightTable();

        var first = table.Add(InFlightPhase.PubAck, handle: 0);
        table.Remove(first);

        Assert.NotEqual(first, table.Add(InFlightPhase.PubAck, handle: 0));
    }

    [Fact]
    public void All_identifiers_can_be_in_use_at_once()
    {
        var table = new InFlightTable();

        var ids = Enumerable.Range(0, ushort.MaxValue).Select(handle => table.Add(InFlightPhase.PubAck, handle)).ToHashSet();

        Assert.Equal(ushort.MaxValue, ids.Count);
        Assert.DoesNotContain((ushort)0, ids);
        table.Remove(40_000);
        Assert.Equal(40_000, table.Add(InFlightPhase.PubRec, handle: 1));
    }

    [Fact]
    public void A_release_moves_from_one_order_to_the_end_of_the_other()
    {
        var table = new InFlightTable();
        ushort[] ids = [.. Enumerable.Range(0, 5).Select(handle => table.Add(InFlightPhase.PubRec, handle))];

        table.Release(ids[3]);
        table.Release(ids[0]);
        table.Release(ids[4]);
        table.Remove(ids[0]);

        Assert.Equal([ids[1], ids[2]], Walk(table, table.Publishes));
        Assert.Equal([ids[3], ids[4]], Walk(table, table.Releases));
        Assert.Equal(2, table.Publishes.Count);
        Assert.Equal(2, table.Releases.Count);
    }

    [Fact]
    public void Entries_across_pages_keep_their_order_when_others_leave()
    {
        var table = new InFlightTable();
        var ids = Enumerable.Range(0, 2_000).Select(handle => table.Add(InFlightPhase.PubAck, handle)).ToList();

        foreach (var id in ids.Where(id => id % 3 != 0))
        {
            table.Remove(id);
        }

        Assert.Equal(ids.Where(id => id % 3 == 0), Walk(table, table.Publishes));
        Assert.Equal(InFlightPhase.Free, table.PhaseOf(ids[0]));
    }

    [Fact]
    public void Requests_stand_in_no_order()
    {
        var table = new InFlightTable();

        var id = table.Add(InFlightPhase.SubAck, handle: 3);

        Assert.Equal(0, table.Publishes.First);
        Assert.Equal(0, table.Releases.First);
        table.Remove(id);
        Assert.Equal(0, table.Count);
    }

    private static List<ushort> Walk(InFlightTable table, InFlightOrder order)
    {
        var ids = new List<ushort>();
        for (var id = order.First; id != 0; id = table.NextOf(id))
        {
            ids.Add(id);
        }

        Assert.Equal(ids.Count, order.Count);
        Assert.Equal(order.Last, ids.LastOrDefault());
        return ids;
    }
}
