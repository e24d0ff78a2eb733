"""Surface EMG of a ramp contraction on an array over the first dorsal interosseous.

The conduction velocity, the fall of amplitude with depth, the limits of the volume conductor and the
independence of numerical steps are measured in the same run.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from ..data import Progress
from ..emg import (
    EMG,
    LayeredCylinder,
    Noise,
    SurfaceGrid,
    WhiteNoise,
    bipolar,
    first_dorsal_interosseous,
)
from ..parameters import count, number
from . import _array_checks as checks
from ._array_contraction import FIRING_CLAIMS, ArrayStudy, contract, firing_metrics
from ._array_figures import median_hz, peak_hz, spectrum
from ._array_metrics import NUMERIC_CLAIMS, claim, finished, numerics, spread_units, summary
from ._array_reciprocity import reciprocity_error
from ._base import AtLeast, AtMost, Claim, Study, StudyResult, Within
from ._surface_array_figures import draw_all, fibre_table

FloatArray = NDArray[np.float64]

_SMOOTHED_HZ = 40.0


@final
@dataclass(frozen=True, kw_only=True)
class SurfaceArray(ArrayStudy):
    """Parameters of the study."""

    pitch_mm: float = number(4.0, above=0, help="distance of contacts of the 13 x 5 grid")
    velocity_units: int = count(100, help="units, spread over the pool, whose velocity is estimated")


def run(params: SurfaceArray, seed: int, progress: Progress, threads: int) -> StudyResult:
    """Contract, record, and hold the model to what is known."""
    wall = {}
    anatomy = first_dorsal_interosseous()
    contraction = contract(params, anatomy.ratio, seed, progress)

    # 1: fibres, action potentials, EMG.
    begun = time.perf_counter()
    grid = SurfaceGrid.grid_13x5(pitch_mm=params.pitch_mm)
    emg = anatomy.surface(contraction.thresholds, grid, seed=seed, progress=progress)
    wall["geometry"] = time.perf_counter() - begun
    begun = time.perf_counter()
    potentials = emg.prepare(progress).action_potentials
    wall["action_potentials"] = time.perf_counter() - begun
    begun = time.perf_counter()
    noise = Noise(parts=(WhiteNoise(rms_uV=params.noise_uV),)) if params.noise_uV else None
    recording = emg.record(contraction.spikes, noise=noise, seed=seed, progress=progress)
    wall["synthesis"] = time.perf_counter() - begun

    # 2: what the recording shows.
    settled = recording.between(*params.settled_s)
    pairs = bipolar(emg.electrodes)
    spectra = {
        "monopolar": spectrum(settled.values_uV, recording.rate_hz, _SMOOTHED_HZ),
        "single differential": spectrum(pairs.matrix @ settled.values_uV, recording.rate_hz, _SMOOTHED_HZ),
    }
    differential = np.ptp(pairs.matrix @ potentials.values_uV, axis=2).max(axis=1)

    # 3: what any model must show.
    chosen = np.array(spread_units(range(params.units), params.velocity_units))
    speeds = checks.velocities(emg, anatomy, chosen, progress)
    below = _depths_mm(emg)
    half_mm = (anatomy.muscle.upper_tendon_mm - anatomy.muscle.lower_tendon_mm) / 2.0
    depth_mm, amplitudes = checks.amplitude_against_depth(emg.conductor, below, half_mm)
    single = checks.single_fibre_velocities(emg.conductor, below[0], half_mm)
    metrics = {
        "cv_set": speeds.set_m_per_s.tolist(),
        "cv_estimated": speeds.long.tolist(),
        "cv_estimated_fibre_velocities": speeds.mixed.tolist(),
        "cv_estimated_own_fibres": speeds.own.tolist(),
        "cv_worst": speeds.at,
        "muap_peak_uV": summary(potentials.peak_to_peak_uV.max(axis=1)),
        "muap_peak_differential_uV": summary(differential),
        "spectrum_peak_hz": peak_hz(*spectra["monopolar"]),
        "spectra": {
            name: {"peak_hz": peak_hz(*one), "median_hz": median_hz(*one)} for name, one in spectra.items()
        },
        "emg_rms_uV": float(np.median(settled.values_uV.std(axis=1))),
        "amplitude_depth": {name: checks.log_log_fit(depth_mm, a) for name, a in amplitudes.items()},
        **firing_metrics(params, contraction),
        **numerics(params, emg, contraction, noise, seed, checks.table_step_change, progress),
        "homogeneous_cylinder_ratio": checks.homogeneous_ratio()[0],
        "reciprocity_error": _reciprocity(emg),
        "wall_s": wall,
    }
    figures = draw_all(
        params,
        emg,
        contraction,
        recording,
        spectra,
        speeds,
        depth_mm,
        amplitudes,
        anatomy.ratio,
    )
    return StudyResult(
        metrics=metrics,
        figures=figures,
        tables=(fibre_table(single),),
        recordings={"surface": finished(recording, contraction, anatomy)},
        notes=_notes(params, 2 * half_mm),
    )


def _depths_mm(emg: EMG) -> tuple[float, float]:
    """Depths below the skin of fibres in the middle of the muscle, half a millimetre off its borders."""
    middle = emg.fibres.y_mm[np.abs(emg.fibres.x_mm) < 1.0]
    top = float(emg.conductor.on_skin(np.zeros(1), np.zeros(1))[0, 1])
    return top - float(middle.max()) + 0.5, top - float(middle.min()) - 0.5


def _reciprocity(emg: EMG) -> float:
    body = emg.conductor
    if not isinstance(body, LayeredCylinder):
        raise TypeError(f"reciprocity is checked on cylinders, not on a {type(body).__name__}")
    nearest, deepest = body.depths_mm
    depths = nearest + (deepest - nearest) * np.array([0.1, 0.4, 0.8])
    return reciprocity_error(body, depths, np.array([0.0, 3.0, 10.0]), np.linspace(0.5, 30.0, 60))


def _notes(params: SurfaceArray, length: float) -> tuple[str, ...]:
    return (
        f"The grid has a pitch of {params.pitch_mm:g} mm: with 8 mm, its 96 mm would reach far beyond the "
        f"fibres of {length:g} mm, and hardly two rows would lie between endplates and tendons.",
        "Conduction velocity is claimed on fibres of 200 mm with one velocity a unit, and all else as it is: "
        "the potential of what arises at endplates and tendons and does not travel falls to 1/e within some "
        "10 mm along so thin a limb, and for deep units outweighs what travels even 20 mm away. On the "
        "muscle's own fibres the array reads no velocity of whole units, as the figure shows; of single "
        "shallow fibres it does, as the table shows.",
        "Amplitudes are what anatomy and conductivities give; nothing is rescaled. Amplitude against depth "
        "is that of single fibres with endplates in the middle, on the largest channel of a column above.",
        "The spatial step is halved and more by one contact 0.1 mm beside another, which asks for so fine a "
        "grid along the fibres. Amplitudes at different sampling rates are compared after band-limited "
        "interpolation, as samples need not fall on a peak.",
        "Reciprocity: the current enters at the skin and the potential is sensed at the fibre, from the "
        "boundary conditions of all layers, which shares no formula with the conductor.",
        "The spectral peak is claimed for the recorded, monopolar channels. That of the single differential "
        "is higher over a small muscle below thin skin; both are maxima of spectra smoothed over "
        f"{_SMOOTHED_HZ:g} Hz, since they are broad.",
        "The force model and the discharges are those of Fuglevand et al. (1993). The white noise of "
        f"{params.noise_uV:g} uV belongs to the recording alone, not to amplitudes of units.",
    )


def _worst_velocity(metrics: Mapping[str, Any]) -> float:
    ratio = np.array(metrics["cv_estimated"]) / np.array(metrics["cv_set"])
    return float(ratio[np.argmax(np.abs(ratio - 1.0))])


def _steeper(metrics: Mapping[str, Any]) -> float:
    fits = metrics["amplitude_depth"]
    return float(fits["bipolar"]["slope"] / fits["monopolar"]["slope"])


_LAW = "follows from the equations of the volume conductor"
_DEPTH = "Roeleveld et al. 1997, Acta Physiol Scand 160:175"
_RANGE = "what high-density recordings show; the bounds are ours"


_CLAIMS = (
    *(
        claim(
            f"Conduction velocity on the array, all units set to {v:g} m/s, the worst (m/s)",
            "set value; fibres of 200 mm, 44 mm and more from endplates and tendons",
            v,
            Within(relative=0.02),
            *("cv_worst", f"{v:g}"),
        )
        for v in checks.VELOCITIES
    ),
    Claim(
        "Conduction velocity on the array / each unit's own velocity, the worst unit",
        "set value; the same fibres",
        1.0,
        Within(relative=0.02),
        _worst_velocity,
    ),
    *(
        claim(
            f"R2 of log amplitude against log depth, {kind}",
            _DEPTH,
            0.98,
            AtLeast(),
            *("amplitude_depth", kind, "r2"),
        )
        for kind in ("monopolar", "bipolar")
    ),
    Claim(
        "Slope of amplitude with depth, bipolar / monopolar", f"{_DEPTH}: steeper", 1.0, AtLeast(), _steeper
    ),
    claim(
        "Amplitude at the surface of a large homogeneous cylinder / in an infinite medium",
        f"{_LAW}: the insulated surface mirrors the source",
        2.0,
        Within(relative=0.02),
        "homogeneous_cylinder_ratio",
    ),
    claim("Reciprocity of fibre and contact, relative error", _LAW, 1e-3, AtMost(), "reciprocity_error"),
    claim(
        "Least potential of a unit (uV)",
        f"tens of uV: {_RANGE}",
        10.0,
        AtLeast(),
        "muap_peak_uV",
        "min",
    ),
    claim("Largest potential of a unit (uV)", f"a few mV: {_RANGE}", 5e3, AtMost(), "muap_peak_uV", "max"),
    claim(
        "Peak of the monopolar spectrum (Hz)",
        "surface EMG, 50-150 Hz",
        100.0,
        Within(absolute=50.0),
        "spectrum_peak_hz",
    ),
    *NUMERIC_CLAIMS,
    *FIRING_CLAIMS,
)

STUDY = Study(
    name="surface-array",
    title="Surface EMG of a ramp contraction on a 13 x 5 array over the first dorsal interosseous",
    reference=(
        "Farina, Mesin, Martina, Merletti (2004), IEEE Trans Biomed Eng 51:415; Roeleveld et al. (1997), "
        "Acta Physiol Scand 160:175; Fuglevand, Winter, Patla (1993), J Neurophysiol 70:2470"
    ),
    parameters=SurfaceArray(),
    quick={
        "ramp_s": 3.0,
        "velocity_units": 6,
        "checked_units": 4,
        "direct_units": 3,
        "direct_fibres": 2,
    },
    claims=_CLAIMS,
    run=run,
)
