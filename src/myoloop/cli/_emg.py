"""``myoloop emg``: EMG from spikes that the user already has."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..data import SpikeTrains
    from ..emg import Anatomy

_A_FILE = click.Path(path_type=Path)
_REFERENCE = (
    "Model: Farina, Merletti (2001), IEEE Trans Biomed Eng 48:637; Farina, Mesin, Martina, Merletti (2004), "
    "IEEE Trans Biomed Eng 51:415"
)


@click.command(short_help="Compute EMG from your own spikes.")
@click.argument("spikes", type=_A_FILE)
@click.option("--muscle", required=True, metavar="NAME|FILE", help="A muscle (see 'list'), or a TOML file.")
@click.option("--electrodes", required=True, metavar="NAME|FILE", help="Electrodes (see 'list'), or TOML.")
@click.option("--out", type=_A_FILE, required=True, help="New folder for all that is written.")
@click.option("--overwrite", is_flag=True, help="Replace what an earlier run left in the folder.")
@click.option("--population", metavar="NAME", help="Which one, where the file holds several.")
@click.option("--t-stop-s", metavar="S", help="End of the recording, where the file does not say it.")
@click.option("--thresholds", type=_A_FILE, help="Recruitment thresholds of all units: a text of numbers.")
@click.option(
    "--units",
    "--n-units",
    type=click.IntRange(min=1),
    metavar="N",
    help="Units of the pool, silent ones too.",
)
@click.option("--ratio", type=float, metavar="X", help="Recruitment ratio of the pool [the muscle's].")
@click.option("--mode", metavar="NAME", help="Form of the recruitment thresholds [konstantin].")
@click.option("--derivation", metavar="NAME", help="monopolar, bipolar, double-differential, laplacian ...")
@click.option("--pitch-mm", metavar="MM", help="Distance of neighbouring contacts.")
@click.option("--rate-hz", metavar="HZ", help="Samples per second [2048, within the muscle 10240].")
@click.option("--skin", metavar="NAME", help="dry or prepared [prepared].")
@click.option("--jitter-us", default="0", metavar="US", help="SD of a fibre's delay; 35 is healthy [0].")
@click.option("--noise", multiple=True, metavar="KIND[=UV]", help="white, pink, brown, mains, motion, drift.")
@click.option("--noise-like", type=_A_FILE, metavar="FILE", help="Noise as in a recording at rest.")
@click.option("--snr-db", type=float, metavar="DB", help="Scale the noise (white if none) to this ratio.")
@click.option("--seed", type=click.IntRange(min=0), default=1, metavar="N", help="Seed [1].")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="PART.NAME=VALUE",
    help="Change a parameter of muscle, conductor, medium, electrodes or amplifier.",
)
@click.option("--format", "formats", metavar="NAMES", help="nwb, bids, edf (in EMG-BIDS), none [nwb,bids].")
@click.option("--allow-pickle", is_flag=True, help="Read a pickled Neo block. It can run any code: trust it.")
def emg(
    spikes: Path,
    muscle: str,
    electrodes: str,
    out: Path,
    overwrite: bool,
    population: str | None,
    t_stop_s: str | None,
    thresholds: Path | None,
    units: int | None,
    ratio: float | None,
    mode: str | None,
    derivation: str | None,
    pitch_mm: str | None,
    rate_hz: str | None,
    skin: str | None,
    jitter_us: str,
    noise: tuple[str, ...],
    noise_like: Path | None,
    snr_db: float | None,
    seed: int,
    settings: tuple[str, ...],
    formats: str | None,
    allow_pickle: bool,
) -> None:
    """Compute the EMG of SPIKES: an NWB, NIX (Neo) or text file (lines of unit, time in s).

    A pool in which only some units fired needs --units or --thresholds, so that each unit keeps its
    size. 'myoloop describe NAME' shows a muscle or electrodes with what --set can change.
    """
    from ..emg import EMG
    from ..io import UNKNOWN_SUBJECT, OutputFolder, read_spikes
    from ..studies.emg import emg_from_spikes, fibres_of, unit_table
    from ..units import to_float
    from ..viz import Heading
    from ._emg_noise import noise_of
    from ._emg_write import Writer, formats_of
    from ._force import _given_thresholds as given_thresholds
    from ._progress import progress_display
    from ._warnings import collected
    from ._write import interruptible, write_result

    stop = None if t_stop_s is None else to_float(t_stop_s, "s", "--t-stop-s")
    options = {
        "rate_hz": None if rate_hz is None else to_float(rate_hz, "hz", "--rate-hz"),
        "jitter_us": to_float(jitter_us, "us", "--jitter-us"),
    }
    given = given_thresholds(thresholds, units, ratio, mode)
    with collected() as warnings:
        anatomy, placed, notes = _setup(muscle, electrodes, skin, pitch_mm, derivation, settings)
        sound = noise_of(noise, noise_like)
        trains = read_spikes(
            spikes,
            allow_pickle=allow_pickle,
            n_units=units if given is None else len(given),
            t_stop_s=stop,
            population=population,
        )
        rt, note = _thresholds(trains, given, ratio, mode, anatomy)
        _say_of_pool(trains, anatomy, units is None and given is None)
        began = time.perf_counter()
        with progress_display() as progress:
            fibres = fibres_of(anatomy, rt, seed, progress)
        model = EMG(fibres=fibres, **placed, **options)
        geometry_s = time.perf_counter() - began
        size = 4.0 * len(model.electrodes) * trains.duration_s * model.rate_hz
        chosen = formats_of(formats, size)
        folder = OutputFolder(out, overwrite=overwrite)
        title = f"EMG of {anatomy.name} from {spikes.name}"
        with interruptible(folder):
            writer = Writer(folder, chosen, anatomy.name, title, UNKNOWN_SUBJECT)
            with progress_display() as progress:
                result = emg_from_spikes(
                    trains, model, noise=sound, snr_db=snr_db, seed=seed, progress=progress, sink=writer
                )
            wall = {"geometry": geometry_s, **result.metrics["wall_s"]}
            result = dataclasses.replace(
                result,
                metrics={**result.metrics, "muscle": anatomy.name, "wall_s": wall},
                notes=(note, *notes, *result.notes),
                provenance={**result.provenance, **_source(spikes, trains, anatomy, electrodes)},
            )
            table = unit_table(trains, model)
            folder.write_table("units.tsv", table.columns, table.rows)
            shown = dataclasses.replace(result, spikes={}, signals={})  # the recording is written already
            write_result(folder, Heading("emg", title, _REFERENCE), shown, nix=False, warnings=warnings)
    click.echo(f"report: {folder.root / 'report.html'}")


def _setup(
    muscle: str,
    electrodes: str,
    skin: str | None,
    pitch_mm: str | None,
    derivation: str | None,
    settings: tuple[str, ...],
) -> tuple[Anatomy, dict[str, Any], tuple[str, ...]]:
    """The muscle, what `EMG` takes besides its fibres, and notes."""
    from ..emg import Amplifier, IntramuscularElectrode
    from ..units import to_float
    from ._emg_setup import Setup, anatomy_of, check_inside, electrodes_of, split_settings, with_settings

    of_anatomy, of_others = split_settings(settings)
    anatomy: Anatomy = with_settings(anatomy_of(muscle, skin), of_anatomy)
    pitch = None if pitch_mm is None else to_float(pitch_mm, "mm", "--pitch-mm")
    made, notes = electrodes_of(electrodes, anatomy, pitch, derivation)
    inside = isinstance(made, IntramuscularElectrode)
    low_pass = Amplifier(low_pass_hz=2800.0) if inside else Amplifier()
    setup: Setup = with_settings(Setup(electrodes=made, amplifier=low_pass), of_others)
    chosen = setup.electrodes
    if isinstance(chosen, IntramuscularElectrode):
        beyond = check_inside(chosen, anatomy)
        if beyond:
            notes = (*notes, f"{beyond} contacts lie beyond the muscle.")
    placed = {
        "conductor": anatomy.medium if inside else anatomy.conductor,
        "electrodes": chosen.on(anatomy.conductor),
        "amplifier": setup.amplifier,
    }
    return anatomy, placed, notes


def _thresholds(
    trains: SpikeTrains, given: list[float] | None, ratio: float | None, mode: str | None, anatomy: Anatomy
) -> tuple[Any, str]:
    """Thresholds of the units in the order of the spikes, and a sentence that says where they come from."""
    from ..muscle import recruitment_thresholds
    from ..studies.emg import thresholds_of

    if given is not None:
        return given, "Recruitment thresholds were given as a file."
    if ratio is None and mode is None:
        return thresholds_of(trains, anatomy)
    ratio = anatomy.ratio if ratio is None else ratio
    mode = "konstantin" if mode is None else mode
    note = f"Recruitment thresholds of ratio {ratio:g} (mode {mode!r}) were asked for, in order of size."
    return recruitment_thresholds(len(trains), ratio=ratio, mode=mode), note


def _say_of_pool(trains: SpikeTrains, anatomy: Anatomy, is_default: bool) -> None:
    """Warn where a few units are made to share all fibres of a muscle."""
    import warnings

    from ..errors import MyoloopWarning

    if not trains.active.any():
        warnings.warn("no unit fired: the EMG is noise, or flat", MyoloopWarning, stacklevel=2)
    if is_default and len(trains) < 0.5 * anatomy.units:
        warnings.warn(
            f"the {len(trains)} units of the file share all fibres of the {anatomy.name}, which has some "
            f"{anatomy.units} units: potentials are about {anatomy.units / len(trains):.1f} times "
            f"as large as those of its units; give --units {anatomy.units} if the others were silent",
            MyoloopWarning,
            stacklevel=2,
        )


def _source(spikes: Path, trains: SpikeTrains, anatomy: Anatomy, electrodes: str) -> dict[str, Any]:
    return {
        "source": {"file": spikes.name, "units": len(trains)},
        "anatomy": anatomy.to_dict(),
        "electrodes": electrodes,
    }
