"""Flags of readings, rankings and attributions in words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["CAVEATS_OF_THE_DAY", "CAVEATS_OF_THE_HISTORY", "FLAGS"]

FLAGS: Mapping[str, str] = MappingProxyType(
    {
        "NO_ERROR": "the error of the reading is not known",
        "BOUND": "read from all bids or all asks: a bound of what could be traded, which has no error",
        "NO_QUOTES": "a vendor's vols without quotes; no error bar can be claimed",
        "FITS_DISAGREE": "smile and local fit differ by more than 0.15 points and two errors of the fit",
        "NO_CROSS_CHECK": "there is no second smile to hold an expiry's reading against",
        "SMILE_FALLBACK": "another smile model than the one asked for had to serve an expiry",
        "OVERRIDDEN": "quotes of the chain are left out by the overrides file, for the reasons in the ledger",
        "ROLL": "without an expiry around the tenor the reading would be another than errors explain",
        "VENDOR_FORWARD": "the forward of the vendor's vols is more than 10 bp off their parity; re-solved",
        "NO_PARITY": "too few pairs for a parity forward, so the vendor's own forward is kept",
        "RATE_ASSUMED": "no rate was given, so one was assumed",
        "SPOT_MISMATCH": "no carry explains the forward from the file's own spot; one is in another unit",
        "SPOT_IMPLIED": "the file's spot is missing or not of the quotes' moment; the options' own is used",
        "RESIDUAL_YIELD": "the known dividends leave more than 1 % a year of the forward unexplained",
        "DIVIDENDS_DOUBTED": "the known dividends contradict the file's spot and the options; left aside",
        "EXERCISE_IGNORED": "early exercise could not be taken out of a forward; its lines count as European",
        "DIVIDENDS_UNKNOWN": "no dividends were given for a window of prices: ex-dates count as moves",
        "WIDE_BRACKET": "the two expiries around the tenor lie far apart or far from it",
        "WIDE_WINDOW": "the local fit had to reach for quotes far from the delta that is read",
        "SPLICED": "taken from an imported series ahead of the solved days",
        "NO_OVERLAP": "no day has both the solved reading and the imported (or convention's) one: no basis",
        "BASIS_ADJUSTED": "the imported reading was shifted by the measured basis",
        "WITHDRAWN": "a vintage without a value: the reading was taken back",
        "MIXED_SNAPSHOTS": "the day's readings are of an earlier time of day than the closes of its history",
        "DIFFERENT_EXPIRIES": "two legs of a pair, or parts of a number, lie between different expiries",
        "LEG_MISSING": "a leg has no reading on the as-of day",
        "SHORT_HISTORY": "fewer sessions with both legs than a percentile needs",
        "SHORT_WINDOW": "the history is shorter than the window",
        "LOW_COVERAGE": "too many of the window's sessions lack a leg",
        "NON_POSITIVE": "a ratio or log ratio of values at or below zero does not exist",
        "CONSTANT": "every value of the window is the same",
        "CARRIED": "days without a reading under the convention are carried over from the headline",
        "NOT_MEASURED": "a leg has no reading under the convention on the as-of day",
        "BRIDGED": "sessions without a reading are passed over, the change across them attributed as one",
        "PARTIAL": "parts are not known; what they would be is in the remainder",
    }
)
"""What each flag means."""

CAVEATS_OF_THE_DAY: Mapping[str, str] = MappingProxyType(
    {
        "MIXED_SNAPSHOTS": "readings of an earlier time of day are ranked against a history of closes",
        "OVERRIDDEN": "quotes of a leg are left out by the overrides file (the ledger has the reasons)",
        "RATE_ASSUMED": "no rate was given, 4 % is assumed (--rate or --rates)",
        "NO_QUOTES": "vols are the vendor's own, not solved from quotes, and no error can be claimed",
        "BOUND": "vols from all bids or all asks are bounds and have no error",
        "NO_ERROR": "the error of a leg is not known",
        "FITS_DISAGREE": "a smile and its cross-check differ where a leg is read (volskew explain)",
        "NO_CROSS_CHECK": "a leg has no second smile to hold it against",
        "SMILE_FALLBACK": "a leg is read from a simpler smile, its quotes bear no more",
        "ROLL": "a leg would be another without one of its expiries (volskew explain)",
        "SPOT_MISMATCH": "a forward is far from the file's own spot; are prices and spot in one unit?",
        "SPOT_IMPLIED": "the file's spot is missing or of another moment, the options' own is used",
        "RESIDUAL_YIELD": "dividends, rate or quotes leave a large part of a forward unexplained",
        "DIVIDENDS_DOUBTED": "the dividends given do not fit spot and options and were left aside",
        "EXERCISE_IGNORED": "early exercise could not be taken out of a forward",
        "NO_PARITY": "the vendor's forward could not be checked by parity",
        "DIFFERENT_EXPIRIES": "the legs are read between different expiries",
        "WIDE_BRACKET": "the expiries around the tenor lie far apart",
        "WIDE_WINDOW": "few quotes lie near the delta that is read",
    }
)
"""What to know of a day's ranking, in the order in which it is said."""

CAVEATS_OF_THE_HISTORY: Mapping[str, str] = MappingProxyType(
    {
        "SPLICED": "earlier days come from an imported history",
        "NO_OVERLAP": "imported and solved days do not overlap, so their basis is unknown",
        "BASIS_ADJUSTED": "imported days were shifted by the measured basis",
    }
)
"""What to know of the days that it is ranked among."""
