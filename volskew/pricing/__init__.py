"""Option pricing: arrays in, arrays and status codes out; no tables, no files.

`black` holds Black's formula in forward space (undiscounted prices) and its inverse, `american` the same for
options on a spot that may be exercised early (today's prices) with a continuous yield, `discrete` with cash
dividends at ex-dates; `status` the reasons for which a price has no vol. Nothing here knows of quotes, rates
or dates: strikes and forwards are dollars, times are years, vols are decimals a year. One bad row never
disturbs another.
"""

from volskew.pricing import american, black, discrete
from volskew.pricing.black import ImpliedVol
from volskew.pricing.status import Status

__all__ = ["ImpliedVol", "Status", "american", "black", "discrete"]
