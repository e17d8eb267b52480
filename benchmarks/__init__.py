"""Speed and cost of gancourse beside other programs, in one run: ``python -m benchmarks``."""
