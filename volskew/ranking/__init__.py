"""Series -> where today stands in its own history; arrays and series in, knows nothing of options.

``forms`` compares two legs (spread, ratio, log ratio), ``windows`` picks the sessions with both legs,
``percentile`` and ``records`` say where a value stands among them, ``measurement`` (on ``deconvolution``)
and ``sampling`` (on ``persistence`` and ``exceedance``), put together by ``bands``, how sure that is,
``standing`` puts these together for one form and window behind the gates of history length and coverage,
``verdict`` says it in words, and ``ranking`` lays out the table.

``executable`` places beside the mids what could be traded. ``decomposition`` splits a log ratio into level
and shape, ``beta`` takes out what one leg says of the other. ``hindsight`` ranks every past day as it could
be known then (``rolling`` and ``tallies`` count, ``knowledge`` says what was known when), ``episodes`` finds
the spells in which a rank was extreme. ``robustness`` (with ``carry`` and ``robustness_table``) ranks the
pair under other conventions. ``series`` ranks two columns of any dated CSV.

Nothing here looks past the as-of day or fills a missing leg, but that ``carry`` fills days that were not read
under another convention, and says how many.
"""

from __future__ import annotations

from volskew.ranking.band_words import band_text
from volskew.ranking.beta import BetaAdjusted, beta_adjust
from volskew.ranking.decomposition import COMPONENT_COLUMNS, Decomposition, decompose, decomposition_csv
from volskew.ranking.episodes import EPISODE_COLUMNS, describe_episodes, episodes_csv, find_episodes
from volskew.ranking.executable import Executable, TwoSided, executable_level, executable_levels
from volskew.ranking.hindsight import HISTORY_COLUMNS, rank_history, rank_history_csv
from volskew.ranking.measurement import MeasurementBand, measurement_bands
from volskew.ranking.percentile import PercentileRank, percentile_rank, range_position, robust_z, z_score
from volskew.ranking.ranking import Ranking, rank
from volskew.ranking.records import Records, find_records
from volskew.ranking.robustness import Robustness
from volskew.ranking.robustness_table import robustness_csv
from volskew.ranking.rolling import PercentileHistory, percentile_history
from volskew.ranking.sampling import SamplingBand, sampling_band
from volskew.ranking.series import rank_series, read_series
from volskew.ranking.table import rankings_csv

__all__ = [
    "COMPONENT_COLUMNS",
    "EPISODE_COLUMNS",
    "HISTORY_COLUMNS",
    "BetaAdjusted",
    "Decomposition",
    "Executable",
    "MeasurementBand",
    "PercentileHistory",
    "PercentileRank",
    "Ranking",
    "Records",
    "Robustness",
    "SamplingBand",
    "TwoSided",
    "band_text",
    "beta_adjust",
    "decompose",
    "decomposition_csv",
    "describe_episodes",
    "episodes_csv",
    "executable_level",
    "executable_levels",
    "find_episodes",
    "find_records",
    "measurement_bands",
    "percentile_history",
    "percentile_rank",
    "range_position",
    "rank",
    "rank_history",
    "rank_history_csv",
    "rank_series",
    "rankings_csv",
    "read_series",
    "robust_z",
    "robustness_csv",
    "sampling_band",
    "z_score",
]
