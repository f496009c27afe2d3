using Xunit;

namespace Nightjar.Tests.Storage;

/// <summary>
/// A store on the disk whose files were damaged while nobody had it open: every committed record whose own bytes are intact comes back, before and behind the damage, nothing else does, and what may be lost is told.
/// </summary>
public sealed class DamagedStoreTests : IDisposable
{
    private const int Records = 60;
    private const int LastTwo = 2;

    private readonly DirectoryInfo _parent = Directory.CreateTempSubdirectory("nightjar-");
    private readonly List<(long Sequence, byte[] Payload)> _appended = [];

    private int _recoveries;
    private string _damaged = "";
    private string _newest = "";

    public enum Harm
    {
        Cut,
        Zeroed,
        Scrambled,
    }

    private string Original => Path.Combine(_parent.FullName, "original");

    private string Copy => Path.Combine(_parent.FullName, "copy");

    public void Dispose() => _parent.Delete(recursive: true);

    [Theory]
    [InlineData(Harm.Cut, false)]
    [InlineData(Harm.Zeroed, false)]
    [InlineData(Harm.Scrambled, false)]
    [InlineData(Harm.Cut, true)]
    [InlineData(Harm.Zeroed, true)]
    [InlineData(Harm.Scrambled, true)]
    public async Task Harm_from_any_byte_of_the_last_two_records_on_loses_at_most_those(Harm harm, bool isEncrypted)
    {
        var options = Options(isEncrypted);
        await WriteAsync(options);
        var (name, start) = await PlaceOfLastTwoAsync(options);
        var intact = await File.ReadAllBytesAsync(Path.Combine(Original, name), TestContext.Current.CancellationToken);
        for (var at = start; at < intact.Length; at++)
        {
            var random = new Random(at);
            await AssertRecoveredAsync(options, name, bytes =>
            {
                if (harm == Harm.Cut)
                {
                    return bytes[..at];
                }

                var block = bytes.AsSpan(at);
                if (harm == Harm.Zeroed)
                {
                    block.Clear();
                }
                else
                {
                    random.NextBytes(block);
                }

                return bytes;
            }, sure: Records - LastTwo);
        }
    }

    [Theory]
    [InlineData(0x00, 0x00, false)]
    [InlineData(0xFF, 0x01, false)]
    [InlineData(0xFF, 0x5A, true)]
    public async Task One_byte_anywhere_in_the_last_two_records_loses_at_most_its_own(int and, int xor, bool isEncrypted)
    {
        var options = Options(isEncrypted);
        await WriteAsync(options);
        var (name, start) = await PlaceOfLastTwoAsync(options);
        var length = new FileInfo(Path.Combine(Original, name)).Length;
        for (var at = start; at < length; at++)
        {
            await AssertRecoveredAsync(options, name, bytes =>
            {
                bytes[at] = (byte)((bytes[at] & and) ^ xor);
                return bytes;
            }, sure: Records - 1);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Random_blocks_of_any_file_lose_only_what_they_touch(bool isEncrypted)
    {
        var options = Options(isEncrypted);
        await WriteAsync(options);
        var names = Directory.GetFiles(Original, "*.log").Select(Path.GetFileName).Order(StringComparer.Ordinal).ToList();
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var size = random.Next(1, 400);
            await AssertRecoveredAsync(options, names[random.Next(names.Count)]!, bytes =>
            {
                var block = bytes.AsSpan(random.Next(bytes.Length));
                block = block[..Math.Min(block.Length, size)];
                if (seed % 3 == 0)
                {
                    block.Clear();
                }
                else
                {
                    random.NextBytes(block);
                }

                return bytes;
            }, sure: Records - 2 - (size / 24));
        }
    }

    [Fact]
    public async Task A_torn_end_is_told_as_such_and_gone_after_that()
    {
        var options = Options(isEncrypted: false);
        await WriteAsync(options);
        var last = Directory.GetFiles(Original, "*.log").Max()!;
        await using (var file = File.Open(last, FileMode.Open))
        {
            file.SetLength(file.Length - 1);
        }

        var first = await OpenAsync(Original, options);
        var second = await OpenAsync(Original, options);

        var damage = Assert.Single(first.Stretches);
        Assert.Equal(DamageReason.Torn, damage.Reason);
        Assert.Equal(_appended[^2].Sequence, damage.After);
        Assert.Empty(second.Stretches);
        Assert.Equal(Records - 1, second.Records.Count);
    }

    private static FileSessionStoreOptions Options(bool isEncrypted) =>
        new() { Durability = Durability.EveryMessage, SegmentSize = 4096, EncryptionKey = isEncrypted ? Keys.Of(1) : null };

    /// <summary>Reading finds the same as opening, without waiting for the disk.</summary>
    private static async Task<LogOwner> ReadAsync(string directory, FileSessionStoreOptions options)
    {
        var owner = new LogOwner();
        await new FileSessionStore(directory, options).ReadAsync(owner, TestContext.Current.CancellationToken);
        return owner;
    }

    private static async Task<LogOwner> OpenAsync(string directory, FileSessionStoreOptions options)
    {
        var owner = new LogOwner();
        await (await new FileSessionStore(directory, options).OpenAsync(owner, owner, TestContext.Current.CancellationToken)).DisposeAsync();
        return owner;
    }

    private async Task WriteAsync(FileSessionStoreOptions options)
    {
        var owner = new LogOwner();
        await using var log = await new FileSessionStore(Original, options).OpenAsync(owner, owner, TestContext.Current.CancellationToken);
        for (var i = 0; i < Records; i++)
        {
            var payload = new byte[i >= Records - LastTwo ? 20 : i * 37 % 300];
            new Random(i).NextBytes(payload);
            _appended.Add((log.Append((byte)i, payload.AsSpan(0, payload.Length / 2), payload.AsSpan(payload.Length / 2)), payload));
        }

        await Eventually.True(() => owner.LastCommitted == _appended[^1].Sequence);
    }

    /// <summary>Where the last two records begin, found by cutting.</summary>
    private async Task<(string Name, int Start)> PlaceOfLastTwoAsync(FileSessionStoreOptions options)
    {
        var name = Path.GetFileName(Directory.GetFiles(Original, "*.log").Max()!);
        var bytes = await File.ReadAllBytesAsync(Path.Combine(Original, name), TestContext.Current.CancellationToken);
        for (var start = bytes.Length - 8; ; start -= 8)
        {
            if ((await RecoverAsync(options, name, bytes[..start])).Records.Count == Records - LastTwo)
            {
                // Every place between the end of the record before and this one gives the same; the first of them is where it ends.
                while ((await RecoverAsync(options, name, bytes[..(start - 8)])).Records.Count == Records - LastTwo)
                {
                    start -= 8;
                }

                return (name, start);
            }
        }
    }

    private async Task AssertRecoveredAsync(FileSessionStoreOptions options, string name, Func<byte[], byte[]> harm, int sure)
    {
        var before = await File.ReadAllBytesAsync(Path.Combine(Original, name), TestContext.Current.CancellationToken);
        var after = harm([.. before]);
        var found = await RecoverAsync(options, name, after);

        Assert.True(found.Records.Count >= sure, $"{found.Records.Count} came back, {sure} were not touched");
        var lost = _appended.Select(record => record.Sequence).Except(found.Records.Select(record => record.Sequence)).ToList();
        Assert.Equal(_appended.Where(record => !lost.Contains(record.Sequence)).Select(record => (record.Sequence, Convert.ToHexString(record.Payload))), found.Records.Select(record => (record.Sequence, Convert.ToHexString(record.Payload))));

        // A cut where a record ends cannot be seen; all else that is lost lies in a stretch that was told.
        if (after.Length == before.Length)
        {
            Assert.All(lost, sequence => Assert.Contains(found.Stretches, stretch => stretch.File == name && stretch.After < sequence && sequence < stretch.Before));
            Assert.Equal(!before.AsSpan().SequenceEqual(after), found.Stretches.Count > 0);
        }
    }

    private Task<LogOwner> RecoverAsync(FileSessionStoreOptions options, string name, byte[] bytes)
    {
        // Only the damaged file and the newest, whose end may be cut off, change from one to the next.
        var isNew = !Directory.Exists(Copy);
        Directory.CreateDirectory(Copy);
        foreach (var file in Directory.GetFiles(Original).Order(StringComparer.Ordinal).Where(file => isNew || Path.GetFileName(file) == _damaged || file == _newest))
        {
            File.Copy(file, Path.Combine(Copy, Path.GetFileName(file)), overwrite: true);
            _newest = file.EndsWith(".log", StringComparison.Ordinal) ? file : _newest;
        }

        _damaged = name;
        File.WriteAllBytes(Path.Combine(Copy, name), bytes);
        return _recoveries++ % 4 == 0 ? OpenAsync(Copy, options) : ReadAsync(Copy, options);
    }
}
