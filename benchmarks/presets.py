"""What the presets of `myoloop.emg` give, beside recordings: ``python benchmarks/presets.py``.

For each muscle and skin: peak-to-peak potential of whole units on the largest channel (quantiles over the
pool), spectra of the interference EMG at 30 % of the maximal force, conduction velocity on the array, and
potentials within the muscle. ``--recording`` adds the same spectra of an OTB file of 64 channels.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads only hinder small products

import numpy as np
from numpy.typing import NDArray

import myoloop as ml
from myoloop.analysis import conduction_velocity
from myoloop.emg import (
    Anatomy,
    ConcentricNeedle,
    FineWire,
    IntramuscularElectrode,
    MuscleFibres,
    SurfaceGrid,
    ThinFilmArray,
    action_potentials,
    bipolar,
)

FloatArray = NDArray[np.float64]
SURFACE_HZ = 2048.0
FORCE = 0.3  # of the maximum
SAMPLE = 60  # units whose potentials within the muscle are computed
QUANTILES = (0.05, 0.5, 0.95, 1.0)


def grid_of(name: str) -> SurfaceGrid:
    """The grid that is usual for the muscle."""
    if name == "first_dorsal_interosseous":
        return SurfaceGrid(rows=9, columns=5, pitch_mm=4.0)
    return SurfaceGrid.grid_13x5(8.0)


def needles(anatomy: Anatomy) -> dict[str, IntramuscularElectrode]:
    """Electrodes whose sites lie within the muscle, a quarter of the fibres' length from the endplates."""
    _, _, bottom, top = anatomy.muscle.section.bounds_mm
    cover = anatomy.conductor.radius_mm - top  # type: ignore[attr-defined]
    height = top - bottom
    along = anatomy.muscle.upper_tendon_mm / 2
    rows = min(20, int(height))
    middle = cover + height / 2
    return {
        "concentric needle": ConcentricNeedle(depth_mm=middle, along_mm=along),
        "fine wire": FineWire(depth_mm=middle + 1.0, along_mm=along),
        "thin film": ThinFilmArray(rows=rows, depth_mm=middle + 0.25 * (rows - 1), along_mm=along),
    }


def peak_to_peak(values: FloatArray) -> FloatArray:
    """Of every unit on its largest channel, from shape (units, channels, samples)."""
    return np.ptp(values, axis=2).max(axis=1)


def quantiles(values: FloatArray, digits: int = 0) -> str:
    return " / ".join(f"{v:.{digits}f}" for v in np.quantile(values, QUANTILES))


def spectrum(values: FloatArray, rate_hz: float) -> dict[str, float]:
    """Median frequency (median over channels) and peak of the mean spectrum, 20 to 500 Hz."""
    from scipy.signal import welch

    frequency, power = welch(values, rate_hz, nperseg=1024)
    band = (frequency >= 20) & (frequency <= 500)
    frequency, power = frequency[band], power[:, band]
    share = np.cumsum(power, axis=1) / power.sum(axis=1, keepdims=True)
    median = [frequency[np.searchsorted(row, 0.5)] for row in share]
    smooth = np.convolve(power.mean(axis=0), np.ones(7) / 7, "same")  # 14 Hz
    return {
        "rms": float(np.median(values.std(axis=1))),
        "median": float(np.median(median)),
        "peak": float(frequency[smooth.argmax()]),
    }


def velocity_error(anatomy: Anatomy, emg: ml.emg.EMG, sizes: FloatArray, units: int = 8) -> float:
    """Median over the units of largest potentials of |array velocity / mean velocity of the fibres - 1|.

    Six rows between the endplates (their 90 % quantile) and the tendon, double differential, the column
    over the unit; NaN where there is no room for rows of 2 mm.
    """
    chosen = np.argsort(sizes)[-units:]
    fibres = emg.fibres.select(chosen)
    low = np.quantile(fibres.endplate_mm, 0.9) + 2.0
    high = anatomy.muscle.upper_tendon_mm - 6.0
    pitch = min(8.0, (high - low) / 5)
    if pitch < 2.0:
        return float("nan")
    grid = SurfaceGrid(rows=6, columns=5, pitch_mm=pitch, column_pitch_mm=5.0, along_mm=(low + high) / 2)
    electrodes = grid.on(anatomy.conductor)
    values = action_potentials(fibres, anatomy.conductor, electrodes, SURFACE_HZ).values_uV
    errors = []
    for unit, potential in enumerate(np.asarray(values, dtype=float)):
        columns = potential.reshape(6, 5, -1).transpose(1, 0, 2)
        double = np.diff(columns[np.ptp(columns, axis=2).max(axis=1).argmax()], n=2, axis=0)
        mine = fibres.unit == unit
        true = np.average(fibres.velocity_m_per_s[mine], weights=fibres.diameter_um[mine] ** 2)
        errors.append(abs(conduction_velocity(double, SURFACE_HZ, pitch) / true - 1))
    return float(np.median(errors))


def measure(name: str, skin: str, inside: bool = True) -> dict[str, Any]:
    """Everything about one preset and skin."""
    anatomy = getattr(ml.emg, name)(skin)
    assert isinstance(anatomy, Anatomy)
    begun = time.process_time()
    emg = anatomy.surface(anatomy.thresholds(), grid_of(name), seed=1)
    placed = time.process_time()
    values = np.asarray(emg.action_potentials.values_uV, dtype=float)
    done = time.process_time()
    differences = bipolar(emg.electrodes).matrix
    single = np.einsum("dc,uct->udt", differences, values)
    pool = ml.muscle.FuglevandPool(n=anatomy.units, recruitment_range=anatomy.ratio)
    recording = np.asarray(emg.record(pool.spikes(excitation_for(pool), 10.0, seed=1)).values_uV)[:, 2048:]
    found: dict[str, Any] = {
        "fibres": len(emg.fibres),
        "units": anatomy.units,
        "anatomy_s": placed - begun,
        "potentials_s": done - placed,
        "monopolar_uV": peak_to_peak(values),
        "single_uV": peak_to_peak(single),
        "monopolar": spectrum(recording, SURFACE_HZ),
        "single": spectrum(differences @ recording, SURFACE_HZ),
        "single_8mm": wide_single(emg, values, recording),
        "velocity_error": velocity_error(anatomy, emg, peak_to_peak(single)),
    }
    if inside:
        chosen = np.unique(np.linspace(0, anatomy.units - 1, SAMPLE).astype(int))
        fibres = emg.fibres.select(chosen)
        for electrode, one in needles(anatomy).items():
            begun = time.process_time()
            placed_one = one.on(anatomy.conductor)
            sensed = action_potentials(fibres, anatomy.medium, placed_one, 10240.0)
            sizes = peak_to_peak(np.asarray(sensed.values_uV, dtype=float)) / 1e3
            found[electrode] = sizes[nearby(fibres, placed_one.position_mm, electrode)]
            found[f"{electrode}_s"] = time.process_time() - begun
    return found


def nearby(fibres: MuscleFibres, contacts_mm: FloatArray, electrode: str) -> NDArray[np.bool_]:
    """Units with a fibre within 0.5 mm of a contact (of the core, for a needle)."""
    contacts = contacts_mm[:1] if electrode == "concentric needle" else contacts_mm
    distance = np.hypot(fibres.x_mm[:, None] - contacts[:, 0], fibres.y_mm[:, None] - contacts[:, 1])
    return np.bincount(fibres.unit[distance.min(axis=1) < 0.5], minlength=fibres.n_units) > 0


def wide_single(emg: ml.emg.EMG, values: FloatArray, recording: FloatArray) -> dict[str, Any] | None:
    """Single differential at 8 mm, for a grid of 4 mm."""
    if emg.electrodes.pitch_mm != 4.0:
        return None
    matrix = bipolar(emg.electrodes, step=2).matrix
    sizes = peak_to_peak(np.einsum("dc,uct->udt", matrix, values))
    return {"uV": sizes, **spectrum(matrix @ recording, SURFACE_HZ)}


def excitation_for(pool: ml.muscle.FuglevandPool) -> float:
    """Excitation, a share of the maximum, at which the steady force is `FORCE`."""
    model = ml.muscle.FuglevandForce.of_pool(pool)
    levels = np.linspace(0.02, 1.0, 99)
    force = model.mean_force(pool.rates_pps(levels)).sum(axis=1) / model.maximum_force()
    return float(np.interp(FORCE, force, levels))


def single_fibre() -> None:
    """Potential of one fibre of 55 um at a small contact, against distance."""
    from myoloop.emg import Amplifier, InfiniteMedium

    distance = np.array([0.05, 0.1, 0.2, 0.3, 0.5, 1.0])
    n = len(distance)
    fibres = MuscleFibres(
        distance, np.zeros(n), np.full(n, 55.0), np.arange(n), np.zeros(n), np.tile([-60.0, 60.0], (n, 1)),
        np.full(n, 4.0), n,
    )  # fmt: skip
    contact = ThinFilmArray(rows=1, length_um=25.0, width_um=25.0).at([0.0, 0.0, 20.0])
    print("single fibre of 55 um, contact of 25 um, low-pass 10 kHz, mV peak to peak")
    print(f"{'mm':>16}" + "".join(f"{d:8.2f}" for d in distance))
    for radial, axial in ((0.063, 0.33), (0.09, 0.4), (0.1, 0.5)):
        medium = InfiniteMedium(radial_S_per_m=radial, axial_S_per_m=axial)
        amplifier = Amplifier(low_pass_hz=1e4)
        values = action_potentials(fibres, medium, contact, 40960.0, amplifier=amplifier).values_uV
        print(
            f"{radial:g} / {axial:g} S/m".rjust(16)
            + "".join(f"{v / 1e3:8.2f}" for v in np.ptp(values[:, 0], axis=1))
        )


def lengths() -> None:
    """What the length of the action potential does to a single fibre, and to whole units on the skin."""
    from myoloop.emg import Amplifier, InfiniteMedium, Rosenfalck

    fibre = MuscleFibres([0.0], [0.0], [55.0], np.array([0]), [0.0], [[-60.0, 60.0]], [4.0], 1)
    contact = ml.data.Electrodes([[0.05, 0.0, 30.0]], intramuscular=True)
    anatomy = ml.emg.first_dorsal_interosseous()
    hand = anatomy.surface(anatomy.thresholds(), grid_of("first_dorsal_interosseous"), seed=1)
    for length in (1.0, 0.5, 0.3):
        shape, wide = Rosenfalck(length_mm=length), Amplifier(low_pass_hz=1e4)
        near = action_potentials(fibre, InfiniteMedium(), contact, 1e5, shape=shape, amplifier=wide)
        power = np.abs(np.fft.rfft(near.values_uV[0, 0], 1 << 16))
        units = hand.replace(shape=shape).action_potentials.peak_to_peak_uV.max(axis=1)
        print(
            f"length {length:g} mm: single fibre at 0.05 mm {near.peak_to_peak_uV[0, 0] / 1e3:.2f} mV, "
            f"spectral peak {1e5 / (1 << 16) * power.argmax():.0f} Hz; "
            f"hand muscle, units on the skin {np.median(units):.0f} uV, largest {units.max():.0f} uV"
        )


def recorded(path: Path) -> None:
    """Spectra of the plateau of a recording of 13 x 5 contacts at 8 mm, as far as the file has them."""
    from scipy.io import loadmat
    from scipy.signal import butter, sosfiltfilt

    content = loadmat(path, squeeze_me=True)
    data = np.asarray(content[find(content, 64)], dtype=float)
    rate = float(str(content["SamplingFrequency"]))
    data = data.T if data.shape[0] > data.shape[1] else data
    band = butter(2, (20.0, 500.0), "band", fs=rate, output="sos")
    grid = sosfiltfilt(band, data[:64])[:, round(8 * rate) : round(24 * rate)]
    print("recording, monopolar:", spectrum(grid, rate))


def find(content: dict[str, Any], channels: int) -> str:
    """Name of the matrix with so many channels or more."""
    for name, value in content.items():
        if isinstance(value, np.ndarray) and value.ndim == 2 and channels <= min(value.shape) < 4 * channels:
            return name
    raise SystemExit(f"no matrix of {channels} channels among {[k for k in content if k[0] != '_']}")


def show(name: str, skin: str, found: dict[str, Any]) -> None:
    print(f"\n{name}, {skin} skin: {found['fibres']} fibres, {found['units']} units; CPU s: ", end="")
    print(f"anatomy {found['anatomy_s']:.1f}, surface potentials {found['potentials_s']:.1f}")
    print(f"  units, uV (5/50/95/100 %): monopolar {quantiles(found['monopolar_uV'])}", end="")
    print(f"; single differential {quantiles(found['single_uV'], 1)}")
    for kind in ("monopolar", "single"):
        s = found[kind]
        print(f"  EMG, {kind:9}: RMS {s['rms']:.0f} uV, median {s['median']:.0f} Hz, peak {s['peak']:.0f} Hz")
    if wide := found["single_8mm"]:
        print(f"  at 8 mm: units {quantiles(wide['uV'], 1)} uV; ", end="")
        print(f"EMG, median {wide['median']:.0f} Hz, peak {wide['peak']:.0f} Hz")
    error = found["velocity_error"]
    if np.isnan(error):
        print("  conduction velocity on the array: no rows clear of endplates and tendons")
    else:
        print(f"  conduction velocity on the array: error {100 * error:.1f} %")
    for electrode in ("concentric needle", "fine wire", "thin film"):
        if electrode in found:
            print(
                f"  {electrode}, mV: {quantiles(found[electrode], 2)} ({found[electrode + '_s']:.1f} CPU s)"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", default=tuple(ml.emg.PRESETS))
    parser.add_argument("--skin", choices=("prepared", "dry"), nargs="*", default=["prepared", "dry"])
    parser.add_argument("--recording", type=Path, help="OTB file (.mat) to hold against it")
    given = parser.parse_args()
    single_fibre()
    lengths()
    if given.recording:
        recorded(given.recording)
    for name in given.presets:
        for skin in given.skin:
            show(name, skin, measure(name, skin, inside=skin == given.skin[0]))


if __name__ == "__main__":
    main()
