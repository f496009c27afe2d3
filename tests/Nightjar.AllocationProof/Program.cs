using System.Globalization;
using Nightjar;
using Nightjar.AllocationProof;
using Nightjar.Bench.Peer;

// Nothing else runs in this process while it counts: the peer is a process of its own, and so is the test that reads the answer.
const int Messages = 100_000;

using var peer = PeerProcess.Start();
using var control = new PeerControl(peer.ControlPort);
using var cancellation = new CancellationTokenSource();
await using var client = new MqttClient($"mqtt://127.0.0.1:{peer.MqttPort}");
await client.ConnectAsync();

var work = Workload.Create(args[0], client, control, cancellation.Token);
await work.RunAsync(work.WarmUp);
var before = GC.GetTotalAllocatedBytes(precise: true);
await work.RunAsync(Messages);
var after = GC.GetTotalAllocatedBytes(precise: true);

Console.WriteLine(((double)(after - before) / Messages).ToString("F4", CultureInfo.InvariantCulture));
