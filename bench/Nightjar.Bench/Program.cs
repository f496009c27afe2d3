using Nightjar;
using Nightjar.Bench;
using Nightjar.Bench.Output;
using Nightjar.Bench.Peer;

const int Passed = 0, Below = 1, Misused = 2;
try
{
    var options = BenchOptions.Parse(args);
    if (options.Help)
    {
        Console.WriteLine(BenchOptions.Usage);
        return Passed;
    }

    if (options.List)
    {
        Console.WriteLine(string.Join(Environment.NewLine, Row.All.Select(row => row.Name)));
        return Passed;
    }

    if (options.Child is { } child)
    {
        await CountedChild.RunAsync(child);
        return Passed;
    }

    var rows = options.Select();
    var counter = options.SystemCalls ? SystemCallCounter.Find() : null;
    using var peer = PeerProcess.Start();
    var endpoint = new PeerEndpoint(peer.MqttPort, peer.ControlPort, peer.DelayedPort);
    var table = new ResultTable(options);
    table.WriteHeader(counter);
    var results = new List<RowResult>();
    var failed = false;
    foreach (var row in rows)
    {
        try
        {
            var result = await RowRunner.RunAsync(endpoint, row, counter, options);
            table.Write(result);
            results.Add(result);
        }
        catch (Exception exception) when (exception is InvalidOperationException or TimeoutException or MqttException)
        {
            failed = true;
            Console.WriteLine($"{row.Name} FAILED: {exception.Message}");
        }
    }

    if (options.Json is { } path)
    {
        await ResultJson.WriteAsync(path, options, results);
    }

    return failed || (options.Floors && results.Exists(result => Floor.Check(result) is { Count: > 0 })) ? Below : Passed;
}
catch (FormatException exception)
{
    Console.Error.WriteLine($"bench: {exception.Message}");
    Console.Error.WriteLine(BenchOptions.Usage);
    return Misused;
}
