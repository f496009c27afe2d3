using Nightjar.Transport;
using Xunit;

namespace Nightjar.Tests.Transport;

/// <summary>The switch is the whole process's, so nothing else runs meanwhile.</summary>
[CollectionDefinition(nameof(TlsFeatureTests), DisableParallelization = true)]
public sealed class TlsFeatureCollection;

[Collection(nameof(TlsFeatureTests))]
public sealed class TlsFeatureTests : IDisposable
{
    public void Dispose() => AppContext.SetSwitch(TlsFeature.Switch, isEnabled: true);

    [Fact]
    public void Switched_off_it_is_refused_with_the_name_of_the_switch()
    {
        AppContext.SetSwitch("Nightjar.Tls", isEnabled: false);

        var late = Assert.Throws<NotSupportedException>(() => TransportFactory.For(new MqttServer("mqtts://localhost")));
        var early = Assert.Throws<ArgumentException>(new MqttClientOptions("mqtts://localhost").Snapshot);

        Assert.Contains("Nightjar.Tls", late.Message, StringComparison.Ordinal);
        Assert.Contains("Nightjar.Tls", early.Message, StringComparison.Ordinal);
        Assert.NotNull(new MqttClientOptions("mqtt://localhost").Snapshot());
    }

    [Fact]
    public void It_is_on_unless_switched_off() => Assert.NotNull(TransportFactory.For(new MqttServer("mqtts://localhost")));
}
