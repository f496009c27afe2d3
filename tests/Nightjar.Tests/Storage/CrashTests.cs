using Xunit;

namespace Nightjar.Tests.Storage;

/// <summary>The directory as it is at any moment, also halfway through a write: what was committed by then is there.</summary>
public sealed class CrashTests
{
    [Theory]
    [InlineData(Durability.EveryMessage, false)]
    [InlineData(Durability.Grouped, false)]
    [InlineData(Durability.System, false)]
    [InlineData(Durability.EveryMessage, true)]
    public async Task What_was_committed_survives(object durability, bool losesPower)
    {
        for (var seed = 0; seed < 15; seed++)
        {
            await RunAsync(new FileSessionStoreOptions { Durability = (Durability)durability, SegmentSize = FileSessionStoreOptions.SmallestSegment }, losesPower, new Random(seed));
        }
    }

    [Fact]
    public async Task What_a_killed_process_left_is_on_the_disk_once_it_was_read()
    {
        var files = new MemoryLogFiles();
        await using (var log = await new LogOwner().OpenAsync(files, new FileSessionStoreOptions { Durability = Durability.System }))
        {
            log.Append(1, new byte[2000]);
        }

        Assert.Single((await LogOwner.ReadAsync(files)).Records);

        for (var seed = 0; seed < 20; seed++)
        {
            Assert.Single((await LogOwner.ReadAsync(files.AfterPowerLoss(new Random(seed)))).Records);
        }
    }

    private static async Task RunAsync(FileSessionStoreOptions options, bool losesPower, Random random)
    {
        var files = new MemoryLogFiles();
        var owner = new LogOwner();
        var moments = new List<(long Committed, MemoryLogFiles Files)>();
        var written = new Dictionary<long, byte[]>();
        await using (var log = await owner.OpenAsync(files, options))
        {
            // The writer's thread: nothing is committed meanwhile.
            var dice = new Random(random.Next());
            files.Changed = () => moments.Add((owner.LastCommitted, losesPower ? files.AfterPowerLoss(dice) : files.Copy()));
            for (var i = 0; i < 60; i++)
            {
                var payload = new byte[random.Next(400)];
                random.NextBytes(payload);
                var sequence = log.Append((byte)i, payload);
                written.Add(sequence, payload);
                if (random.Next(3) == 0)
                {
                    await Eventually.True(() => owner.LastCommitted >= sequence);
                }
            }
        }

        Assert.NotEmpty(moments);
        foreach (var (committed, left) in moments)
        {
            var found = await LogOwner.ReadAsync(left);
            var sequences = found.Records.Select(record => record.Sequence).ToList();
            Assert.Empty(written.Keys.Where(sequence => sequence <= committed).Except(sequences));
            Assert.Equal(sequences.Order(), sequences);
            Assert.All(found.Records, record => Assert.Equal(written[record.Sequence], record.Payload));
        }
    }
}
