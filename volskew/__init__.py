"""Tell whether one volatility is cheap or dear against another, compared with their own history."""

__version__ = "0.1.0"
