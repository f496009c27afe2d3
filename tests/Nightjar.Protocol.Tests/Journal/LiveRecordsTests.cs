using Nightjar.Protocol.Journal;
using Xunit;

namespace Nightjar.Protocol.Tests.Journal;

public sealed class LiveRecordsTests
{
    [Fact]
    public void Random_histories_leave_what_is_alive_in_the_order_of_its_last_records()
    {
        var random = new Random(11);
        var live = new LiveRecords(SizeOfMessage);
        var model = new List<Record>();
        for (var sequence = 1L; sequence <= 50_000; sequence++)
        {
            var some = model.Count == 0 ? default : model[random.Next(model.Count)];
            switch (random.Next(model.Count > 1000 ? 6 : 4))
            {
                case 0 when model.TrueForAll(record => record.Kind != LiveKind.Message || record.Key != sequence % 700):
                    live.AddMessage((int)(sequence % 700), sequence);
                    model.Add(new Record(LiveKind.Message, (int)(sequence % 700), sequence, SizeOfMessage((int)(sequence % 700)), (int)(sequence % 700) << 1));
                    break;
                case 1:
                    var kind = (LiveKind)random.Next(1, 6);
                    var size = random.Next(1, 1 << 28);
                    model.Add(new Record(kind, (int)sequence, sequence, size, live.Add(kind, (int)sequence, sequence, size)));
                    break;
                case 2 when some.Sequence != 0:
                    some = model[0];
                    model.RemoveAt(0);
                    var renewed = some.Kind == LiveKind.Message ? some.Size : random.Next(1, 1000);
                    live.Renew(live.Oldest, sequence, renewed);
                    model.Add(some with { Sequence = sequence, Size = renewed });
                    break;
                case > 2 when some.Kind == LiveKind.Message:
                    live.RemoveMessage(some.Key);
                    model.Remove(some);
                    break;
                case > 2 when some.Sequence != 0:
                    live.Remove(some.Place);
                    model.Remove(some);
                    break;
            }

            Assert.Equal(model.Count, live.Count);
            Assert.Equal(model.Sum(record => (long)record.Size), live.Bytes);
            if (model.Count == 0)
            {
                Assert.Equal(-1, live.Oldest);
                continue;
            }

            var oldest = live.Oldest;
            Assert.Equal(model[0], new Record(live.KindOf(oldest), live.KeyOf(oldest), live.SequenceOf(oldest), live.SizeOf(oldest), oldest));
        }

        Assert.True(model.Count > 500);
        foreach (var record in model)
        {
            Assert.Equal(record.Sequence, live.SequenceOf(live.Oldest));
            if (record.Kind == LiveKind.Message)
            {
                live.RemoveMessage(record.Key);
            }
            else
            {
                live.Remove(record.Place);
            }
        }

        Assert.Equal((-1, 0, 0L), (live.Oldest, live.Count, live.Bytes));
    }

    [Fact]
    public void A_message_that_is_not_there_can_be_removed()
    {
        var live = new LiveRecords(SizeOfMessage);
        live.RemoveMessage(1000);
        live.AddMessage(1000, sequence: 7);
        live.RemoveMessage(999);
        live.RemoveMessage(1000);
        live.RemoveMessage(1000);

        Assert.Equal((-1, 0, 0L), (live.Oldest, live.Count, live.Bytes));
    }

    private static int SizeOfMessage(int handle) => 100 + handle;

    private readonly record struct Record(LiveKind Kind, int Key, long Sequence, int Size, int Place);
}
