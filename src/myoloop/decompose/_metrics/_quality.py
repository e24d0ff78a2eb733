"""How far units can be trusted when no truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import ParameterError
from ...parameters import Parameters, count, number
from .._decomposition import UnitQuality
from .._kernels import isi_variation
from ._sources import pulse_to_noise_ratio, silhouette

FloatArray = NDArray[np.float64]


@final
@dataclass(frozen=True, kw_only=True)
class QualityLimits(Parameters):
    """What a unit has to keep to be above suspicion.

    The silhouette is meant for sources in which no spike is seen through a filter that it helped to make,
    as `ConvolutiveBSS` gives them; it is then lower than usual, where .9 is asked for. The study
    ``decompose-benchmark`` tells how many simulated units within these limits are right.
    """

    sil: float = number(0.83, at_most=1, help="Least silhouette")
    cov_isi: float = number(0.3, above=0, help="Coefficient of variation of the intervals must be below")
    spikes: int = count(20, help="Fewest spikes")
    short_isi_ms: float = number(25.0, above=0, help="An interval below this and half the mean is short")
    short_isi_share: float = number(0.1, above=0, at_most=1, help="Largest share of short intervals")
    pause_ms: float = number(250.0, above=0, help="A longer interval is a pause, no interval of a train")


def interspike_intervals_ms(spikes: ArrayLike, rate_hz: float, pause_ms: float = 250.0) -> FloatArray:
    """Intervals between ascending spikes (samples) in ms, those longer than `pause_ms` left out.

    A single recruitment and derecruitment would else rule the standard deviation.
    """
    intervals = np.diff(np.asarray(spikes, dtype=np.int64))
    return np.asarray(intervals[intervals <= round(pause_ms * 1e-3 * rate_hz)] / rate_hz * 1e3)


def unit_quality(
    sources: NDArray[Any],
    spikes: Sequence[NDArray[np.int64]],
    rate_hz: float,
    limits: QualityLimits | None = None,
) -> UnitQuality:
    """Silhouette, pulse-to-noise ratio and regularity of each unit, and what is suspicious in them.

    Coefficient of variation, rate and share of short intervals are those of the intervals up to
    `QualityLimits.pause_ms`: standard deviation (n - 1) over mean, NaN below three of them; the rate is 1
    over their mean. A unit is flagged as

    - ``maybe merged`` when many of its intervals are short: two units that fire independently do that,
      a single one does it in rare doublets only;
    - ``maybe false`` when its silhouette is low or not defined, its intervals vary much (or fewer than
      three are left), or it has few spikes. Such units often do not reproduce in another run.

    Parameters
    ----------
    sources : ndarray, shape (units, samples)
    spikes : sequence of int arrays
        Ascending samples of the spikes of each unit.
    rate_hz : float
        Rate of the sources.
    limits : QualityLimits, optional

    Returns
    -------
    UnitQuality
    """
    if len(sources) != len(spikes):
        raise ParameterError(
            "unit_quality.spikes", f"{len(spikes)} trains for {len(sources)} sources", "give one for each"
        )
    limits = limits or QualityLimits()
    trains = [interspike_intervals_ms(train, rate_hz, limits.pause_ms) for train in spikes]
    pairs = list(zip(sources, spikes, strict=True))
    sil = [silhouette(source, train, rate_hz=rate_hz) for source, train in pairs]
    pnr = [pulse_to_noise_ratio(source, train) for source, train in pairs]
    longest = round(limits.pause_ms * 1e-3 * rate_hz)
    cov = [isi_variation(np.asarray(train, dtype=np.int64), longest) for train in spikes]
    short = [_mean(intervals < min(limits.short_isi_ms, 0.5 * _mean(intervals))) for intervals in trains]
    flags = [_flag(limits, sil[u], cov[u], short[u], len(spikes[u])) for u in range(len(spikes))]
    return UnitQuality(
        sil=np.array(sil, dtype=np.float64),
        pnr_db=np.array(pnr, dtype=np.float64),
        cov_isi=np.array(cov, dtype=np.float64),
        rate_pps=np.array([1e3 / _mean(intervals) for intervals in trains], dtype=np.float64),
        short_isi=np.array(short, dtype=np.float64),
        flag=tuple(flags),
    )


def _flag(limits: QualityLimits, sil: float, cov: float, short: float, spikes: int) -> str:
    reasons = []
    if not sil >= limits.sil:
        reasons.append(f"SIL {sil:.2f}")
    if not cov < limits.cov_isi:
        reasons.append(f"CoV of ISI {cov:.2f}")
    if spikes < limits.spikes:
        reasons.append(f"{spikes} spikes")
    flags = ["maybe false: " + ", ".join(reasons)] if reasons else []
    if short > limits.short_isi_share:
        flags.insert(0, f"maybe merged: {100 * short:.0f} % of ISI are short")
    return "; ".join(flags)


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else float("nan")
