using Nightjar.Bench.Peer;

// Lives as long as whoever started it holds its standard input, so that no peer is ever left behind.
var listeners = new PeerListeners();
Console.Out.WriteLine($"listening {listeners.MqttPort} {listeners.ControlPort} {listeners.DelayedPort}");
Console.Out.Flush();

while (Console.In.ReadLine() is not null)
{
}

return 0;
