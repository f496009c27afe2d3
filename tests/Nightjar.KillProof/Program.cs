// A publisher and a subscriber on a session store, made to be killed: tests/Nightjar.Interop.Tests/Durable starts them again and again, and counts what arrived.
using Nightjar.KillProof;

var settings = new Settings(args);
if (settings.Role == "subscribe")
{
    return await new Subscriber(settings).RunAsync();
}

using var publisher = new Publisher(settings);
return await publisher.RunAsync();
