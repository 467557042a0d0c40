"""What every room stands on: arrays and rows, tolerance, statistics, likelihood, threads, memory, progress, files."""
