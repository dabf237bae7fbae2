"""The parts of `benchmarks/engine.py`, one idea a file."""
