"""Tables of a decomposition: its units, the channels, the method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..data import Recording
from ..decompose import Decomposition, Score, UnitAgreement
from ._base import Table

if TYPE_CHECKING:
    from ._decompose_reference import Agreement

_COLUMNS = (
    "unit_id", "spikes", "sil", "pnr", "cov_isi", "rate", "short_isi", "amplitude_uV", "channel", "flag",
)  # fmt: skip
_READABLE = (
    "Unit", "Spikes", "SIL", "PNR (dB)", "CoV of ISI", "Rate (pps)", "Largest",
)  # fmt: skip
_KEY_NUMBERS = (
    "units", "accepted_units", "spikes", "upper_bound_units", "cpu_s", "channels", "bad_channels",
)  # fmt: skip
_KEY_AGREEMENT = ("true_units", "matched_units", "good_units", "f1_mean", "roa_mean")
_DIGITS = 3
_NO_BREAK = "\N{NO-BREAK SPACE}"

DEFINITIONS = {
    "sil": "(B - W) / max(B, W): summed squared distances of the signed squared source at the spikes to the "
    "mean of the other peaks (B) and to their own mean (W)",
    "pnr_db": "10 log10 of the mean squared source at the spikes over that at all other samples",
    "cov_isi": "standard deviation (n - 1) over mean of the interspike intervals up to 250 ms; a longer one "
    "is a pause, and belongs to no train",
    "rate_pps": "1 over the mean of the interspike intervals up to 250 ms",
    "short_isi": "share of the interspike intervals up to 250 ms that are below 25 ms and half of their mean",
    "amplitude_uV": "peak to peak of the action potential on the channel where it is largest",
    "accepted_units": "units without a flag; a flagged unit may be false or merged",
    "good_units": "units that match one of the reference with an F1 of at least 0.9",
    "cpu_s": "processor time of the decomposition, from the recording in memory to its units",
}


def unit_table(found: Decomposition, agreement: Score | None = None) -> Table:
    """A row for each unit, for ``units.tsv``.

    Parameters
    ----------
    found : Decomposition
    agreement : Score, optional
        Adds the unit of the reference that each matches, ``f1`` and ``roa``.

    Returns
    -------
    Table
        ``pnr`` in dB, ``rate`` in pps; ``amplitude_uV`` is the largest peak-to-peak amplitude, on
        ``channel``; ``flag`` is None (``n/a`` in a file) for units above suspicion.
    """
    quality, counts = found.quality, found.spikes.counts
    largest = largest_channels(found)
    rows: list[tuple[Any, ...]] = [
        (
            name,
            int(counts[unit]),
            _digits(quality.sil[unit]),
            _digits(quality.pnr_db[unit]),
            _digits(quality.cov_isi[unit]),
            _digits(quality.rate_pps[unit]),
            _digits(quality.short_isi[unit]),
            *largest[unit],
            quality.flag[unit] or None,
        )
        for unit, name in enumerate(found.unit_ids)
    ]
    columns: tuple[str, ...] = _COLUMNS
    if agreement is not None:
        columns = (*columns, "matched_unit", "f1", "roa")
        pairs = {pair.found_id: pair for pair in agreement.pairs}
        rows = [(*row, *_match(pairs.get(row[0]))) for row in rows]
    return Table("Units", columns, tuple(rows))


def unit_rows(
    found: Decomposition, agreement: Agreement | None
) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
    """Columns and rows of the units for a reader: three digits, and what is not there left blank."""
    columns: tuple[str, ...] = _READABLE
    rows = []
    if agreement is not None:
        columns = (*columns, "True unit" if agreement.is_truth else "Match", "F1", "RoA")
    for row in unit_table(found, agreement and agreement.all).rows:
        unit, spikes, sil, pnr, cov, rate, _, largest, channel, flag, *match = row
        where = "" if largest is None else f"{_rounded(largest):g} uV, {channel}".replace(" ", _NO_BREAK)
        name = f"{unit}{_NO_BREAK}*" if flag else unit
        cells = (name, spikes, sil, pnr, cov, rate, where, *match)
        rows.append(tuple(_rounded(cell) for cell in cells))
    return columns, tuple(rows)


def flag_table(found: Decomposition) -> Table:
    """Flagged units, and why."""
    pairs = zip(found.unit_ids, found.quality.flag, strict=True)
    return Table("Flagged units (*)", ("unit", "why"), tuple((name, flag) for name, flag in pairs if flag))


def definitions_table() -> Table:
    """What the columns of the units mean."""
    return Table("What the numbers mean", ("number", "meaning"), tuple(DEFINITIONS.items()))


def key_numbers(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the metrics that a reader wants first."""
    found = {name: metrics[name] for name in _KEY_NUMBERS if name in metrics}
    named = ("sil", "cov_isi", "rate_pps") if metrics["units"] else ()
    medians = {name: {"median": metrics[name]["median"]} for name in named}
    agreement = metrics.get("agreement", {})
    agreed = {name: agreement[name] for name in _KEY_AGREEMENT if name in agreement}
    return {**found, **medians, **({"agreement": agreed} if agreed else {})}


def channel_table(recording: Recording, found: Decomposition) -> Table:
    """A row for each channel, for ``channels.tsv``.

    ``rms_uV`` is about the mean, of the samples as they were recorded; ``band_rms_uV`` of the band-passed
    signal without mains, where the channel was used.
    """
    rms, band = channel_rms_uV(recording), band_rms_uV(recording, found)
    rows = tuple(
        (
            name,
            "bad" if name in found.bad else "good",
            found.bad.get(name),
            float(rms[i]),
            float(band[i]),
        )
        for i, name in enumerate(recording.channels)
    )
    return Table("Channels", ("name", "status", "reason", "rms_uV", "band_rms_uV"), rows)


def method_table(recording: Recording, found: Decomposition) -> Table:
    """What was decomposed, and how, in a few lines."""
    told, filters = found.parameters, found.filters
    band, electrodes = filters.preprocessing, recording.electrodes
    kind = "of unknown place" if electrodes is None else _kind(electrodes.intramuscular)
    rows: list[tuple[str, Any]] = [
        ("Electrodes", kind),
        ("Channels", f"{len(recording)}, {len(found.bad)} left out" if found.bad else len(recording)),
        ("Samples per s", f"{recording.rate_hz:g}"),
        ("Time (s)", f"{recording.t_start_s:.5g} to {recording.t_start_s + recording.duration_s:.5g}"),
        ("Method", str(told.get("method", "not known"))),
        ("Band-pass (Hz)", f"{band['low_hz']:g} to {band['high_hz']:g}" if "high_hz" in band else "none"),
        ("Length of a filter (samples)", filters.lags),
    ]
    contrast = told.get("contrast")
    if contrast is not None:
        rows.append(("Contrast", contrast["model"] if isinstance(contrast, dict) else str(contrast)))
    rows += [
        (label, told[name])
        for name, label in (("rounds", "Most rounds"), ("starts", "Starts in a round"), ("seed", "Seed"))
        if name in told
    ]
    return Table("Recording and method", ("quantity", "value"), tuple(rows))


def largest_channels(found: Decomposition) -> list[tuple[float | None, str | None]]:
    """Largest peak-to-peak amplitude of each unit, and on which channel that is."""
    if found.action_potentials is None:
        return [(None, None)] * len(found)
    peaks = found.action_potentials.peak_to_peak_uV
    at = np.argmax(peaks, axis=1)
    names = found.action_potentials.channels
    return [(float(peaks[unit, c]), names[c]) for unit, c in enumerate(at)]


def channel_rms_uV(recording: Recording) -> NDArray[np.float64]:
    """Root mean square of each channel about its mean, of the samples that are there; NaN where none is."""
    found = np.full(len(recording), np.nan)
    for i, row in enumerate(recording.values_uV):
        there = row[~np.isnan(row)]
        if there.size:
            found[i] = np.std(there, dtype=np.float64)
    return found


def band_rms_uV(recording: Recording, found: Decomposition) -> NDArray[np.float64]:
    """Root mean square of each channel within the band; NaN for those that were not used."""
    band = np.full(len(recording), np.nan)
    band[found.filters.kept] = found.filters.scale_uV
    band[[name in found.bad for name in recording.channels]] = np.nan
    return band


def spread(values: NDArray[Any]) -> dict[str, float | None]:
    """Median, least and greatest of the finite values; None where there is none."""
    known = values[np.isfinite(values)]
    if not len(known):
        return {"median": None, "min": None, "max": None}
    return {"median": float(np.median(known)), "min": float(known.min()), "max": float(known.max())}


def _match(pair: UnitAgreement | None) -> tuple[Any, ...]:
    return (None, None, None) if pair is None else (pair.truth_id, pair.f1, pair.roa)


def _kind(intramuscular: bool) -> str:
    return "within the muscle" if intramuscular else "on the skin"


def _rounded(cell: Any) -> Any:
    if cell is None:
        return ""
    if isinstance(cell, float) and np.isfinite(cell) and cell:
        return round(cell, max(0, _DIGITS - 1 - int(np.floor(np.log10(abs(cell))))))
    return cell


def _digits(value: Any) -> float:
    """Four digits, which is more than is known."""
    return float(f"{value:.4g}")
