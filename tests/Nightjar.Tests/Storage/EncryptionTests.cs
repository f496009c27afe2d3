using Nightjar.Storage;
using Xunit;

namespace Nightjar.Tests.Storage;

/// <summary>With a key the disk tells nothing, and nothing on it can be changed unseen.</summary>
public sealed class EncryptionTests
{
    private const string Segment = "0000000000000001.log";

    private static readonly byte[] Secret = "the combination is 1-2-3-4-5 and nobody knows"u8.ToArray();

    [Fact]
    public async Task What_is_stored_cannot_be_read_without_the_key_and_comes_back_with_it()
    {
        var files = await WriteAsync(Keys.Of(1));

        Assert.Equal(-1, files[Segment].AsSpan().IndexOf(Secret.AsSpan(0, 8)));
        Assert.All((await ReadAsync(files, Keys.Of(1))).Records, record => Assert.Equal(Secret, record.Payload));
    }

    [Fact]
    public async Task Equal_records_do_not_look_equal()
    {
        var files = await WriteAsync(Keys.Of(1));
        var stored = Enumerable.Range(0, 3).Select(i => Convert.ToHexString(Frame(files, i)[RecordFrame.HeaderSize..^32])).ToList();

        Assert.Equal(3, stored.Distinct().Count());
    }

    // The same numbers are given again by a copy of the store that goes on; under the same key and nonce the difference of two payloads would show.
    [Fact]
    public async Task Two_copies_of_a_store_that_go_on_do_not_encrypt_alike()
    {
        var first = await WriteAsync(Keys.Of(1));
        var second = first.Copy();
        foreach (var files in (MemoryLogFiles[])[first, second])
        {
            await using var log = await new LogOwner().OpenAsync(files, With(Keys.Of(1)));
            Assert.Equal(RecordSequence.FirstOf(2), log.Append(1, Secret));
        }

        Assert.NotEqual(first[SegmentName.Of(2)][88..(88 + Secret.Length)], second[SegmentName.Of(2)][88..(88 + Secret.Length)]);
    }

    [Theory]
    [InlineData(2, StorageFailureKind.WrongKey)]
    [InlineData(null, StorageFailureKind.KeyMissing)]
    public async Task Another_key_or_none_is_refused_and_changes_nothing(int? seed, StorageFailureKind kind)
    {
        var files = await WriteAsync(Keys.Of(1));
        files[Segment] = files[Segment][..^3];
        var before = files.Copy();

        var error = await Assert.ThrowsAsync<StorageException>(() => ReadAsync(files, seed is { } other ? Keys.Of(other) : null));

        Assert.Equal(kind, error.Kind);
        Assert.Contains("nothing has been changed", error.Message, StringComparison.Ordinal);
        Assert.Equal(before.List().Order(), files.List().Order());
        Assert.All(files.List(), name => Assert.Equal(before[name], files[name]));
    }

    [Fact]
    public async Task Keys_rotate_and_an_old_one_is_needed_for_as_long_as_its_records_are_there()
    {
        var files = await WriteAsync(Keys.Of(1));
        await using (var log = await new LogOwner().OpenAsync(files, With(Keys.Of(1), keyId: 2)))
        {
            log.Append(1, Secret);
        }

        var found = await ReadAsync(files, Keys.Of(1), keyId: 2);
        var error = await Assert.ThrowsAsync<StorageException>(() => ReadAsync(files, Keys.Of(1, known: 2), keyId: 2));
        files.Delete(Segment);
        var rest = await ReadAsync(files, Keys.Of(1, known: 2), keyId: 2);

        Assert.Equal(4, found.Records.Count);
        Assert.Equal(StorageFailureKind.KeyMissing, error.Kind);
        Assert.Contains("the key with id 1", error.Message, StringComparison.Ordinal);
        Assert.Equal(Secret, Assert.Single(rest.Records).Payload);
    }

    [Fact]
    public async Task A_record_that_was_changed_together_with_its_checksum_is_reported_as_forged()
    {
        var files = await WriteAsync(Keys.Of(1));
        var frame = Frame(files, 1);
        frame[RecordFrame.HeaderSize] ^= 1;
        Resign(files, 1);

        var found = await ReadAsync(files, Keys.Of(1));

        Assert.Equal(2, found.Records.Count);
        var damage = Assert.Single(found.Stretches);
        Assert.Equal(DamageReason.Forged, damage.Reason);
        Assert.Equal((found.Records[0].Sequence, found.Records[1].Sequence), (damage.After, damage.Before));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_record_that_was_moved_to_another_place_is_forged(int from)
    {
        var files = await WriteAsync(Keys.Of(1));
        Frame(files, from).CopyTo(Frame(files, 1));
        Resign(files, 1);

        Assert.Equal(DamageReason.Forged, Assert.Single((await ReadAsync(files, Keys.Of(1))).Stretches).Reason);
    }

    [Fact]
    public async Task A_forged_record_at_the_end_is_not_taken_for_a_torn_one()
    {
        var files = await WriteAsync(Keys.Of(1));
        Frame(files, 2)[RecordFrame.HeaderSize] ^= 1;
        Resign(files, 2);
        var length = files[Segment].Length;

        Assert.Equal(DamageReason.Forged, Assert.Single((await ReadAsync(files, Keys.Of(1))).Stretches).Reason);
        Assert.Equal(length, files[Segment].Length);
    }

    [Fact]
    public async Task A_damaged_record_is_damaged_and_not_forged()
    {
        var files = await WriteAsync(Keys.Of(1));
        Frame(files, 1)[RecordFrame.HeaderSize] ^= 1;

        Assert.Equal(DamageReason.Checksum, Assert.Single((await ReadAsync(files, Keys.Of(1))).Stretches).Reason);
    }

    [Fact]
    public async Task Records_are_readable_behind_a_damaged_header()
    {
        var files = await WriteAsync(Keys.Of(1));
        files[Segment].AsSpan(0, LogHeader.Size).Clear();

        var found = await ReadAsync(files, Keys.Of(1));

        Assert.Equal(3, found.Records.Count);
        Assert.Equal(DamageReason.Header, Assert.Single(found.Stretches).Reason);
    }

    [Fact]
    public async Task A_store_that_is_not_encrypted_is_refused_unless_that_is_allowed()
    {
        var files = await WriteAsync(null);

        var error = await Assert.ThrowsAsync<StorageException>(() => ReadAsync(files, Keys.Of(1)));
        var owner = new LogOwner();
        await using (var log = await owner.OpenAsync(files, With(Keys.Of(1), allowsPlain: true)))
        {
            log.Append(1, Secret);
        }

        Assert.Equal(StorageFailureKind.NotEncrypted, error.Kind);
        Assert.Equal(3, owner.Records.Count);
        Assert.Equal(-1, files[SegmentName.Of(2)].AsSpan().IndexOf(Secret.AsSpan(0, 8)));
    }

    [Fact]
    public async Task A_record_that_is_not_encrypted_among_others_that_are_is_forged()
    {
        var files = await WriteAsync(Keys.Of(1));
        LogHeader.Read(files[SegmentName.Store], out var header);
        var length = files[Segment].Length;
        var forged = new byte[RecordFrame.SizeOf(3)];
        new RecordFrame(header.StoreId).Write(forged, length, RecordSequence.FirstOf(1) + 3, 1, [1, 2, 3], [], cipher: null);
        files[Segment] = [.. files[Segment], .. forged];

        var found = await ReadAsync(files, Keys.Of(1));

        Assert.Equal(3, found.Records.Count);
        Assert.Equal(DamageReason.Forged, Assert.Single(found.Stretches).Reason);
    }

    [Fact]
    public async Task A_provider_that_leaves_the_key_empty_is_told_so()
    {
        var error = await Assert.ThrowsAsync<StorageException>(() => ReadAsync(new MemoryLogFiles(), (_, _, _) => true));

        Assert.Contains("nothing but zeros", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_key_is_in_what_an_exception_says_and_none_stays_where_it_was_given()
    {
        var files = await WriteAsync(Keys.Of(1));
        var key = new byte[32];
        new Random(5).NextBytes(key);

        var error = await Assert.ThrowsAsync<StorageException>(() => ReadAsync(files, (_, _, room) =>
        {
            key.CopyTo(room);
            return true;
        }));

        Assert.DoesNotContain(Convert.ToHexString(key)[..8], error.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Convert.ToBase64String(key)[..8], error.ToString(), StringComparison.Ordinal);
    }

    private static FileSessionStoreOptions With(SessionKeyProvider? keys, int keyId = 1, bool allowsPlain = false) =>
        new() { EncryptionKey = keys, EncryptionKeyId = keyId, AllowUnencryptedRecords = allowsPlain };

    private static async Task<MemoryLogFiles> WriteAsync(SessionKeyProvider? keys)
    {
        var files = new MemoryLogFiles();
        await using var log = await new LogOwner().OpenAsync(files, With(keys));
        for (var i = 0; i < 3; i++)
        {
            log.Append(1, Secret.AsSpan(0, 10), Secret.AsSpan(10));
        }

        return files;
    }

    private static async Task<LogOwner> ReadAsync(MemoryLogFiles files, SessionKeyProvider? keys, int keyId = 1)
    {
        var owner = new LogOwner();
        await (await owner.OpenAsync(files, With(keys, keyId))).DisposeAsync();
        return owner;
    }

    private static (int Start, int Size) Place(int index)
    {
        var size = RecordFrame.SizeOf(Secret.Length + 32);
        return (LogHeader.Size + (index * size), size);
    }

    private static Span<byte> Frame(MemoryLogFiles files, int index)
    {
        var (start, size) = Place(index);
        return files[Segment].AsSpan(start, size);
    }

    /// <summary>Puts a right checksum on a record, as anybody can.</summary>
    private static void Resign(MemoryLogFiles files, int index)
    {
        LogHeader.Read(files[SegmentName.Store], out var header);
        new RecordFrame(header.StoreId).Sign(Frame(files, index), Place(index).Start);
    }
}
