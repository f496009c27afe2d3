using System.Text;
using Nightjar.Testing;
using Xunit;

namespace Nightjar.Tests.Sessions;

/// <summary>What the application sees of a store that is full or damaged.</summary>
public sealed class StorageTroubleTests
{
    [Fact]
    public async Task What_is_enqueued_while_the_disk_is_full_is_stored_and_sent_once_there_is_room()
    {
        var store = new LogFilesStore();
        await using var peer = InMemory.Peer();
        await using var client = await peer.ConnectAsync(Options(peer, store));
        using var end = new AbortAtEnd(client);
        await using var events = new EventReader(client);
        store.Files.Room = 0;
        var enqueuing = client.EnqueueAsync("t", "kept").AsTask();
        await events.NextAsync<ClientEvent.StorageFailed>();

        Assert.False(enqueuing.IsCompleted);
        Assert.Equal(1, client.Statistics.StorageFailures);

        store.Files.Room = long.MaxValue;
        Assert.Equal("kept", (await peer.TakeAsync()).Text);
        var receipt = await enqueuing.Soon();
        Assert.True(receipt.Stored.IsCompletedSuccessfully);
        Assert.Equal(ReasonCode.Success, (await receipt.Acknowledged.Soon()).ReasonCode);
        await events.NextAsync<ClientEvent.StorageRecovered>();

        store.Files.Room = 0;
        Assert.True(client.TryEnqueue(new OutgoingMessage("t", "more"), out var waiting));
        await events.NextAsync<ClientEvent.StorageFailed>();
        Assert.False(waiting.Stored.IsCompleted);
        Assert.Equal(2, client.Statistics.StorageFailures);
    }

    [Fact]
    public async Task A_store_that_cannot_be_opened_is_counted()
    {
        var store = new TestStore();
        store.FailOpening(new IOException("no"));
        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(WithStore(InMemory.Options(broker), store));

        await Assert.ThrowsAsync<StorageException>(() => client.OpenAsync().Soon());

        Assert.Equal(1, client.Statistics.StorageFailures);
    }

    [Fact]
    public async Task Of_a_damaged_store_all_but_the_damaged_message_is_sent_and_the_damage_is_told()
    {
        var store = new LogFilesStore();
        await using var gone = InMemory.Peer();
        await using var before = new MqttClient(Options(gone, store));
        using var end = new AbortAtEnd(before);
        foreach (var text in (string[])["before", "harmed", "behind"])
        {
            await (await before.EnqueueAsync("t", text).AsTask().Soon()).Stored.Soon();
        }

        var left = store.AsAfterAKill();
        Assert.True(Harm(left, "harmed"));

        await using var broker = InMemory.Broker();
        await using var client = new MqttClient(WithStore(InMemory.Options(broker), left));
        await using var events = new EventReader(client);
        await client.OpenAsync().Soon();
        var restored = await events.NextAsync<ClientEvent.SessionRestored>();

        Assert.Equal((2, 1), (restored.PendingMessages, restored.DamagedStretches));
        Assert.True(restored.DamagedBytes > 0);
        await client.DrainAsync().Soon();
        Assert.Equal(["before", "behind"], broker.Published.Select(message => message.Text));
    }

    /// <summary>Turns one bit where this text lies.</summary>
    private static bool Harm(LogFilesStore store, string text)
    {
        foreach (var name in store.Files.List())
        {
            if (store.Files[name].AsSpan().IndexOf(Encoding.UTF8.GetBytes(text)) is >= 0 and var place)
            {
                store.Files[name][place] ^= 1;
                return true;
            }
        }

        return false;
    }

    private static MqttClientOptions Options(ScriptedPeer peer, ISessionStore store) => WithStore(InMemory.Options(peer), store);

    private static MqttClientOptions WithStore(MqttClientOptions options, ISessionStore store)
    {
        options.Session.Store = store;
        return options;
    }
}
