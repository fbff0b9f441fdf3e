"""One expiry's smile as arrays: fitted, checked for arbitrage, and read at any delta or strike.

Arrays in, arrays and status codes out; no tables, no files. `volskew.surface` runs these over the quotes of a
chain.
"""
