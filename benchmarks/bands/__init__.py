"""Parts of benchmarks/bands.py; a regular package, so that its name stands before the script's."""
