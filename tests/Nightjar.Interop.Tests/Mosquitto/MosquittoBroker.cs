using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Nightjar.Interop.Tests.Processes;
using Xunit;

namespace Nightjar.Interop.Tests.Mosquitto;

/// <summary>A Mosquitto of the test's own: a free port of the loopback, a configuration and data in a directory that goes away with it.</summary>
internal sealed class MosquittoBroker : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("nightjar-mosquitto-");
    private readonly MosquittoSettings _settings;
    private ChildProcess _process = null!;
    private string _earlierLog = "";

    private MosquittoBroker(MosquittoSettings settings)
    {
        _settings = settings;
        Authority = new CertificateAuthority(_directory.FullName, "authority");
    }

    public int Port { get; private set; }

    /// <summary>For <see cref="MqttClient"/>.</summary>
    public string Uri => $"{(_settings.TlsHosts.Length > 0 ? "mqtts" : "mqtt")}://{Host}:{Port}";

    /// <summary>What a client has to call it.</summary>
    public string Host => _settings.TlsHosts is [var host, ..] ? host : "127.0.0.1";

    /// <summary>It signed the broker's certificate, and signs those of clients.</summary>
    public CertificateAuthority Authority { get; }

    /// <summary>Everything that the broker ever logged, restarts included.</summary>
    public string WholeLog => _earlierLog + _process.Errors;

    /// <summary>Everything that the broker logged since it was last started.</summary>
    public string Log => _process.Errors;

    /// <summary>Starts one and returns when it accepts connections. Skips the test where Mosquitto is not installed.</summary>
    public static async Task<MosquittoBroker> StartAsync(MosquittoSettings? settings = null)
    {
        Assert.SkipUnless(Programs.AreInstalled("mosquitto", "mosquitto_pub", "mosquitto_passwd"), "Mosquitto is not installed.");

        var broker = new MosquittoBroker(settings ?? new MosquittoSettings());
        try
        {
            await broker.StartOnFreePortAsync();
            return broker;
        }
        catch
        {
            await broker.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until the broker has answered a subscription of this client.</summary>
    public Task SubscribedAsync(string clientId) => _process.ErrorLineAsync($"Sending SUBACK to {clientId}");

    /// <summary>Waits until the broker has logged this.</summary>
    public Task LoggedAsync(string part) => _process.ErrorLineAsync(part);

    /// <summary>Ends the broker as a service manager does, so that it saves what it keeps, and starts it again on the same port.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await StartProcessAsync();
    }

    /// <summary>Starts it again on the same port, after <see cref="StopAsync"/>.</summary>
    public Task StartAgainAsync() => StartProcessAsync();

    /// <summary>Ends the broker as a service manager does.</summary>
    public async Task StopAsync()
    {
        await _process.StopAsync("TERM");
        await _process.DisposeAsync();
        _earlierLog += _process.Errors;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            // Shown when the test fails; the end of it is what a failure is about.
            TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', Log.Split('\n').TakeLast(100)));
            await _process.DisposeAsync();
        }

        Authority.Dispose();
        _directory.Delete(recursive: true);
    }

    private async Task StartOnFreePortAsync()
    {
        // Between finding a port free and Mosquitto taking it somebody else may; then another one is tried.
        for (var attempt = 1; ; attempt++)
        {
            Port = LoopbackPort.FindFree();
            await File.WriteAllLinesAsync(ConfigurationFile, await ConfigurationAsync());
            try
            {
                await StartProcessAsync();
                return;
            }
            catch (TimeoutException) when (attempt < 5 && Log.Contains("Address already in use", StringComparison.Ordinal))
            {
                await _process.DisposeAsync();
            }
        }
    }

    private async Task StartProcessAsync()
    {
        _process = ChildProcess.Start("mosquitto", ["-c", ConfigurationFile]);
        await _process.ErrorLineAsync(" running");
        using var connection = new TcpClient();
        await connection.ConnectAsync(IPAddress.Loopback, Port);
    }

    private string ConfigurationFile => Path.Combine(_directory.FullName, "mosquitto.conf");

    private async Task<List<string>> ConfigurationAsync()
    {
        List<string> lines =
        [
            "log_dest stderr",
            .. _settings.LogsPackets ? ["log_type all"] : (string[])["log_type error", "log_type warning", "log_type notice", "log_type information"],
            "user root", // else Mosquitto, started by root, becomes a user who cannot read this directory
            "max_queued_messages 0",
            string.Create(CultureInfo.InvariantCulture, $"listener {Port} 127.0.0.1"),
            $"allow_anonymous {(_settings.User is null ? "true" : "false")}",
        ];

        if (_settings.User is var (name, password))
        {
            var file = Path.Combine(_directory.FullName, "passwords");
            var made = await ChildProcess.RunAsync("mosquitto_passwd", ["-b", "-c", file, name, password]);
            Assert.True(made.Code == 0, made.ToString());
            lines.Add($"password_file {file}");
        }

        if (_settings.TlsHosts.Length > 0)
        {
            var issued = Authority.Issue("broker", _settings.TlsHosts);
            lines.AddRange([$"cafile {Authority.CertificateFile}", $"certfile {issued.CertificateFile}", $"keyfile {issued.KeyFile}"]);
            lines.Add($"require_certificate {(_settings.RequireClientCertificate ? "true" : "false")}");
        }

        if (_settings.MaximumInFlight is { } maximum)
        {
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"max_inflight_messages {maximum}"));
        }

        if (_settings.Persistence)
        {
            lines.AddRange(["persistence true", $"persistence_location {_directory.FullName}/"]);
        }

        return lines;
    }
}
