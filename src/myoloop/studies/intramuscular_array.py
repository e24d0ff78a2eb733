"""Intramuscular EMG of a ramp contraction on a thin-film array and a concentric needle.

The array of 40 contacts lies obliquely through the first dorsal interosseous, the needle beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from ..data import Electrodes, Progress
from ..emg import (
    EMG,
    Anatomy,
    ConcentricNeedle,
    Noise,
    SkinConductor,
    ThinFilmArray,
    WhiteNoise,
    first_dorsal_interosseous,
)
from ..parameters import count, number
from . import _array_checks as checks
from ._array_contraction import FIRING_CLAIMS, ArrayStudy, Contraction, contract, firing_metrics
from ._array_figures import median_hz, peak_hz, spectrum
from ._array_metrics import NUMERIC_CLAIMS, claim, finished, numerics, summary
from ._base import AtLeast, AtMost, Study, StudyResult
from ._intramuscular_array_figures import draw_all

_NEEDLE_MM = 3.0, 6.0  # where the needle goes in, across the fibres and along them
_SMOOTHED_HZ = 50.0
_FINE_MM = 0.05  # spatial step of the direct evaluation that the fast form's step is held to


@final
@dataclass(frozen=True, kw_only=True)
class IntramuscularArray(ArrayStudy):
    """Parameters of the study."""

    ramp_s: float = number(3.0, above=0.5, help="from rest to the plateau")
    plateau_s: float = number(5.0, above=1.0, help="length of the plateau")
    noise_uV: float = number(5.0, at_least=0, help="white noise of the amplifier, root mean square")
    contacts: int = count(40, at_least=4, help="contacts of the array")
    pitch_mm: float = number(0.5, above=0.15, help="distance of the contacts")
    tilt_deg: float = number(57.0, at_least=0, at_most=80, help="lean of the array along the fibres")
    entry_mm: float = number(-6.0, help="where the array goes in, along the fibres from their middle")
    depth_mm: float = number(23.4, above=0, help="from the skin to the deepest contact, along the shaft")
    needle_mm: float = number(6.0, above=0, help="depth of the needle's core")


def run(params: IntramuscularArray, seed: int, progress: Progress, threads: int) -> StudyResult:
    """Contract, record with both electrodes, and hold the model to what is known."""
    wall = {}
    anatomy = first_dorsal_interosseous()
    contraction = contract(params, anatomy.ratio, seed, progress)

    # 1: fibres, action potentials, EMG.
    begun = time.perf_counter()
    array, needle = _electrodes(params, anatomy, contraction, seed, progress)
    wall["geometry"] = time.perf_counter() - begun
    begun = time.perf_counter()
    potentials = array.prepare(progress).action_potentials
    core = needle.prepare(progress).action_potentials
    wall["action_potentials"] = time.perf_counter() - begun
    begun = time.perf_counter()
    noise = Noise(parts=(WhiteNoise(rms_uV=params.noise_uV),)) if params.noise_uV else None
    recordings = {
        name: emg.record(contraction.spikes, noise=noise, seed=seed, progress=progress)
        for name, emg in (("array", array), ("needle", needle))
    }
    wall["synthesis"] = time.perf_counter() - begun

    # 2: what the recordings show.
    settled = {name: one.between(*params.settled_s) for name, one in recordings.items()}
    spectra = {name: spectrum(one.values_uV, one.rate_hz, _SMOOTHED_HZ) for name, one in settled.items()}
    peaks, at_core = potentials.peak_to_peak_uV.max(axis=1), core.peak_to_peak_uV[:, 0]
    fired = contraction.spikes.active
    along, beside = (np.flatnonzero(fired & _within_reach(array, emg.electrodes)) for emg in (array, needle))
    metrics = {
        "muap_peak_uV": summary(peaks[along]),
        "muap_peak_recruited_uV": summary(peaks[fired]),
        "muap_peak_needle_uV": summary(at_core[beside]),
        "units_within_reach": {"array": len(along), "needle": len(beside)},
        "units_above_10_mV": int(np.sum(peaks[along] > 10e3)),
        "spectrum_peak_hz": peak_hz(*spectra["array"]),
        "spectra": {
            name: {"peak_hz": peak_hz(*one), "median_hz": median_hz(*one)} for name, one in spectra.items()
        },
        "emg_rms_uV": {name: float(np.median(one.values_uV.std(axis=1))) for name, one in settled.items()},
        **firing_metrics(params, contraction),
        **numerics(params, array, contraction, noise, seed, _step_change(params), progress),
        "wall_s": wall,
    }
    depth_mm = _depth_mm(anatomy, array)
    figures = draw_all(params, array, needle, contraction, recordings, spectra, depth_mm, anatomy.ratio)
    return StudyResult(
        metrics=metrics,
        figures=figures,
        recordings={name: finished(one, contraction, anatomy) for name, one in recordings.items()},
        notes=_notes(params),
    )


def _electrodes(
    params: IntramuscularArray, anatomy: Anatomy, contraction: Contraction, seed: int, progress: Progress
) -> tuple[EMG, EMG]:
    """The array and the needle in the same fibres."""
    film = ThinFilmArray(
        rows=params.contacts,
        pitch_mm=params.pitch_mm,
        tilt_along_deg=params.tilt_deg,
        along_mm=params.entry_mm,
        depth_mm=params.depth_mm,
    )
    across, along = _NEEDLE_MM
    needle = ConcentricNeedle(across_mm=across, along_mm=along, depth_mm=params.needle_mm)
    array = anatomy.intramuscular(contraction.thresholds, film, seed=seed, progress=progress)
    beside = EMG(fibres=array.fibres, conductor=array.conductor, electrodes=needle.on(anatomy.conductor))
    return array, beside


def _within_reach(emg: EMG, electrodes: Electrodes) -> NDArray[np.bool_]:
    """Units in whose territory the electrode records: a contact of the array, the core of the needle."""
    centre, radius = (emg.fibres.about[f"territory_{name}_mm"] for name in ("centre", "radius"))
    recording = electrodes.position_mm[np.any(electrodes.matrix > 0, axis=0), :2]
    away = np.linalg.norm(centre[:, None] - recording, axis=2)
    return np.asarray((away < radius[:, None]).any(axis=1))


def _depth_mm(anatomy: Anatomy, emg: EMG) -> NDArray[np.float64]:
    """Depth of each contact below the skin."""
    x, y, _ = emg.electrodes.position_mm.T
    skin = anatomy.conductor
    if not isinstance(skin, SkinConductor):
        raise TypeError(f"a {type(skin).__name__} has no skin")
    return skin.depth_mm(x, y)


def _step_change(params: IntramuscularArray) -> Callable[[EMG], float]:
    """The fast form's step is its own: hold it to a direct evaluation with a finer one."""

    def change(emg: EMG) -> float:
        return checks.direct_step_change(emg, range(emg.fibres.n_units), params.direct_fibres, _FINE_MM)

    return change


def _notes(params: IntramuscularArray) -> tuple[str, ...]:
    return (
        f"The array of {params.contacts} contacts at {params.pitch_mm:g} mm leans by {params.tilt_deg:g} "
        "degrees along the fibres, so that its length fits the thickness of the muscle; the contacts lie "
        "between one end of the innervation zone and the tendon.",
        "Potentials are those of an infinite anisotropic medium: the skin and the electrode's own shaft are "
        "not seen. A fibre nearer to a point of a contact than the mean fibre diameter counts as that far "
        "away. Nothing is rescaled.",
        "The ranges of whole-unit potentials are claimed for recruited units in whose territory an electrode "
        "records, each on the contact where it is largest; those of all recruited units are among the "
        "numbers.",
        "The spatial step of the fast form is held to a direct evaluation with steps of "
        f"{_FINE_MM:g} mm, of the fibres that are nearest to the array.",
    )


_RANGE = "intramuscular recordings, 0.1 to 10 mV"

_CLAIMS = (
    *(
        claim(f"{name} potential of a unit {where} (uV)", _RANGE, bound, tolerance, path, key)
        for where, path in (("on the array", "muap_peak_uV"), ("at the needle", "muap_peak_needle_uV"))
        for name, key, bound, tolerance in (
            ("Least", "min", 100.0, AtLeast()),
            ("Largest", "max", 10e3, AtMost()),
        )
    ),
    *NUMERIC_CLAIMS,
    *FIRING_CLAIMS,
)

STUDY = Study(
    name="intramuscular-array",
    title="Intramuscular EMG of a ramp contraction on a thin-film array and a concentric needle",
    reference=(
        "Nandedkar & Stalberg (1983), Electroencephalogr Clin Neurophysiol 55:497; Muceli et al. (2022), Sci "
        "Adv 8:eabo5040; Fuglevand, Winter, Patla (1993), J Neurophysiol 70:2470"
    ),
    parameters=IntramuscularArray(),
    quick={
        "ramp_s": 2.0,
        "plateau_s": 2.0,
        "contacts": 14,
        "pitch_mm": 1.5,
        "checked_units": 3,
        "direct_units": 3,
        "direct_fibres": 3,
    },
    claims=_CLAIMS,
    run=run,
)
