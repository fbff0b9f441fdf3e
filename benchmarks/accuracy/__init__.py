"""Parts of benchmarks/accuracy.py; a regular package, so that its name stands before the script's."""
