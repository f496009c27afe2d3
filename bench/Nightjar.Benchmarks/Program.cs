using BenchmarkDotNet.Running;

BenchmarkSwitcher.FromAssembly(typeof(Nightjar.Benchmarks.PublishBenchmarks).Assembly).Run(args);
