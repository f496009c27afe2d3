System.Console.Out.WriteLine("help");
return 0;
