namespace Nightjar.Cli;

/// <summary>Says in flags what the library's messages say in options: whoever reads them here has a command line, and no code.</summary>
internal static class FlagWords
{
    private static readonly (string Option, string Flag)[] Words =
    [
        ("set TlsOptions.TargetHost or AllowNameMismatch", "accept it with --insecure"),
        ("name it with TlsOptions.CaFile", "name it with --cafile"),
        ("set TlsOptions.CertificateFile and KeyFile", "give --cert and --key"),
        ("set MqttClientOptions.Version", "try another -V"),
        ("Set EncryptionKey", "Give its key with --store-key"),
        ("set credentials", "give -u and -P"),
    ];

    public static string Translate(string message) => Words.Aggregate(message, (text, word) => text.Replace(word.Option, word.Flag, StringComparison.Ordinal));
}
