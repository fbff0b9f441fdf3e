"""The market around the quotes: the trading calendar, expiry instants, tenors and discount curves.

`clock` says which days are sessions, which session an instant belongs to, when an option expires and how
long that is; `tenors` what "3m" means; `rates` reads curve files and picks the curve of a day; `dividends`
reads dividend files and says what was known and expected on a day; `pricefiles` reads daily prices; `table`
holds what all quotes of one date share. Nothing here knows of option prices.
"""

from volskew.market.clock import (
    EASTERN,
    are_sessions,
    expiry_instants,
    is_session,
    next_session,
    previous_session,
    session_close,
    session_closes,
    session_of,
    session_on_or_before,
    session_open,
    sessions,
    sessions_of,
    stamp_session,
    year_fraction,
)
from volskew.market.dividends import (
    Dividend,
    DividendTable,
    Outlook,
    choose_dividends,
    read_dividend_files,
    read_dividends,
)
from volskew.market.pricefiles import PriceHistory, PriceTable, read_price_files, read_prices
from volskew.market.rates import DiscountCurve, RateTable, choose_curve, read_rates
from volskew.market.table import MarketRow, market_row
from volskew.market.tenors import (
    canonical_span,
    canonical_tenor,
    canonical_term,
    is_span,
    span_tenors,
    tenor_days,
    tenor_years,
)

__all__ = [
    "EASTERN",
    "DiscountCurve",
    "Dividend",
    "DividendTable",
    "MarketRow",
    "Outlook",
    "PriceHistory",
    "PriceTable",
    "RateTable",
    "are_sessions",
    "canonical_span",
    "canonical_tenor",
    "canonical_term",
    "choose_curve",
    "choose_dividends",
    "expiry_instants",
    "is_session",
    "is_span",
    "market_row",
    "next_session",
    "previous_session",
    "read_dividend_files",
    "read_dividends",
    "read_price_files",
    "read_prices",
    "read_rates",
    "session_close",
    "session_closes",
    "session_of",
    "session_on_or_before",
    "session_open",
    "sessions",
    "sessions_of",
    "span_tenors",
    "stamp_session",
    "tenor_days",
    "tenor_years",
    "year_fraction",
]
