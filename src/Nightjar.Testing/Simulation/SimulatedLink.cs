namespace Nightjar.Testing.Simulation;

/// <summary>One connection between the client and the broker.</summary>
internal sealed class SimulatedLink
{
    private readonly World _world;

    public SimulatedLink(World world, int number)
    {
        _world = world;
        Number = number;
        OpenedAt = world.Time.Now;
        ToServer = new Pipe(world, this, toServer: true);
        ToClient = new Pipe(world, this, toServer: false);
        Connection = new ModelConnection(world, this);
    }

    /// <summary>Counted from 1.</summary>
    public int Number { get; }

    public long OpenedAt { get; }

    public Pipe ToServer { get; }

    public Pipe ToClient { get; }

    /// <summary>The broker's end.</summary>
    public ModelConnection Connection { get; }

    /// <summary>It did not end in order.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>The fault that is to break it.</summary>
    public SimulatedFault? BreaksBy { get; set; }

    /// <summary>Both ends find it broken; what is on its way is lost.</summary>
    public void Break()
    {
        if (ToServer.IsClosed && ToClient.IsClosed)
        {
            return;
        }

        _world.Note($"connection {Number} breaks: {ToServer.Carried} bytes arrived at the server, {ToServer.Underway} did not; "
            + $"{ToClient.Carried} at the client, {ToClient.Underway} did not");
        if (BreaksBy is { } fault)
        {
            _world.Cover(fault);
        }

        IsBroken = true;
        ToServer.Close();
        ToClient.Close();
        Connection.Lose();
        _world.Client.Lose(this, orderly: false);
    }

    /// <summary>The client closes its end: the server still gets what was written.</summary>
    public void CloseByClient()
    {
        ToClient.Close();
        ToServer.End();
    }

    /// <summary>The server closes its end: the client still gets what was written.</summary>
    public void CloseByServer()
    {
        ToServer.Close();
        Connection.Lose();
        ToClient.End();
    }

    /// <summary>Bytes arrived at an end.</summary>
    public void Arrived(bool atServer, byte[] bytes)
    {
        if (atServer)
        {
            Connection.Receive(bytes);
        }
        else
        {
            _world.Client.Receive(this, bytes);
        }
    }

    /// <summary>The end of a direction arrived.</summary>
    public void Ended(bool atServer)
    {
        if (atServer)
        {
            ToClient.Close();
            Connection.Lose();
        }
        else
        {
            _world.Client.Lose(this, orderly: true);
            ToServer.End();
        }
    }
}
