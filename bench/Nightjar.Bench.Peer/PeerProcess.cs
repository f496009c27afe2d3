using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Nightjar.Bench.Peer;

/// <summary>The peer, started as a process of its own; it ends when this is disposed, or when the process that owns this ends.</summary>
public sealed class PeerProcess : IDisposable
{
    private readonly Process _process;

    private PeerProcess(Process process, int mqttPort, int controlPort, int delayedPort)
    {
        _process = process;
        MqttPort = mqttPort;
        ControlPort = controlPort;
        DelayedPort = delayedPort;
    }

    /// <summary>Where it speaks MQTT, on 127.0.0.1.</summary>
    public int MqttPort { get; }

    /// <summary>Where it takes control lines.</summary>
    public int ControlPort { get; }

    /// <summary>Where it speaks MQTT with 20 ms between a question and its answer.</summary>
    public int DelayedPort { get; }

    /// <summary>The <c>dotnet</c> that runs this process, wherever it is installed.</summary>
    public static string DotNetHost => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));

    /// <summary>Starts it and waits until it listens.</summary>
    public static PeerProcess Start()
    {
        var assembly = Path.Combine(AppContext.BaseDirectory, typeof(PeerProcess).Assembly.GetName().Name + ".dll");
        var process = Process.Start(new ProcessStartInfo(DotNetHost, ["exec", assembly])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        }) ?? throw new InvalidOperationException("the peer did not start");

        var words = process.StandardOutput.ReadLine()?.Split(' ');
        return words is ["listening", var mqtt, var control, var delayed]
            ? new PeerProcess(process, int.Parse(mqtt), int.Parse(control), int.Parse(delayed))
            : throw new InvalidOperationException("the peer ended before it listened");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
