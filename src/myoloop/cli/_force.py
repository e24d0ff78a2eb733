"""``myoloop force``: muscle force from spikes that the user already has."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._group import refuse

if TYPE_CHECKING:
    from ..data import SpikeTrains
    from ..muscle import FuglevandForce

_DEFAULT_RATIO = 100.0
_DEFAULT_MODE = "combined"
_A_FILE = click.Path(path_type=Path)


@click.command(short_help="Compute muscle force from your own spikes.")
@click.argument("spikes", type=_A_FILE)
@click.option("--out", type=_A_FILE, required=True, help="New folder for all that is written.")
@click.option("--overwrite", is_flag=True, help="Replace what an earlier run left in the folder.")
@click.option("--population", metavar="NAME", help="Which one, where the file holds several.")
@click.option("--rate-hz", default="2048", metavar="HZ", help="Samples of force per second [2048].")
@click.option("--thresholds", type=_A_FILE, help="Recruitment thresholds of all units: a text of numbers.")
@click.option(
    "--units",
    "--n-units",
    type=click.IntRange(min=1),
    metavar="N",
    help="Units of the pool, silent ones too.",
)
@click.option("--ratio", type=float, metavar="X", help="Recruitment ratio of the pool [100].")
@click.option("--mode", metavar="NAME", help="Form of the recruitment thresholds [combined].")
@click.option("--t-stop-s", metavar="S", help="End of the recording, where the file does not say it.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Change the force model.")
@click.option("--per-unit", is_flag=True, help="Write the force of each unit too.")
@click.option("--nix/--no-nix", default=True, help="Write the recording as NIX (Neo) too [yes].")
@click.option("--allow-pickle", is_flag=True, help="Read a pickled Neo block. It can run any code: trust it.")
def force(
    spikes: Path,
    out: Path,
    overwrite: bool,
    population: str | None,
    rate_hz: str,
    thresholds: Path | None,
    units: int | None,
    ratio: float | None,
    mode: str | None,
    t_stop_s: str | None,
    settings: tuple[str, ...],
    per_unit: bool,
    nix: bool,
    allow_pickle: bool,
) -> None:
    """Compute muscle force from SPIKES: an NWB, NIX (Neo) or text file (lines of unit, time in s).

    A pool in which only some units fired needs --units or --thresholds, so that each unit keeps its
    own threshold and twitch.
    """
    from ..io import UNKNOWN_SUBJECT, OutputFolder, read_spikes
    from ..studies.force import force_from_spikes
    from ..units import to_float
    from ..viz import Heading
    from ._progress import progress_display
    from ._warnings import collected
    from ._write import interruptible, write_result

    rate = to_float(rate_hz, "hz", "--rate-hz")
    stop = None if t_stop_s is None else to_float(t_stop_s, "s", "--t-stop-s")
    given = _given_thresholds(thresholds, units, ratio, mode)
    with collected() as warnings:
        pool_size = units if given is None else len(given)
        trains = read_spikes(
            spikes, allow_pickle=allow_pickle, n_units=pool_size, t_stop_s=stop, population=population
        )
        model, note = _model(trains, given, ratio, mode, settings)
        folder = OutputFolder(out, overwrite=overwrite)
        with interruptible(folder):
            with progress_display() as progress:
                result = force_from_spikes(trains, model, rate, progress)
                if per_unit:
                    result = _with_force_of_each(result, trains, model, rate, progress)
            result = dataclasses.replace(
                result,
                notes=(note, *result.notes),
                provenance={**result.provenance, "source": {"file": spikes.name, "units": len(trains)}},
            )
            heading = Heading("force", f"Muscle force from {spikes.name}", _REFERENCE)
            write_result(folder, heading, result, nix=nix, warnings=warnings, subject=UNKNOWN_SUBJECT)
    click.echo(f"report: {folder.root / 'report.html'}")


_REFERENCE = "Model: Fuglevand, Winter, Patla (1993), J Neurophysiol 70:2470"


def _given_thresholds(
    path: Path | None, units: int | None, ratio: float | None, mode: str | None
) -> list[float] | None:
    """Thresholds of the file, if one is given."""
    if path is None:
        return None
    if units is not None or ratio is not None or mode is not None:
        refuse("--thresholds says all about the pool: leave out --units, --ratio and --mode")
    return read_thresholds(path)


def read_thresholds(path: Path) -> list[float]:
    """Numbers of a text file, divided by lines, blanks or commas; the first line may be a heading.

    Raises
    ------
    UnreadableFileError
        No such file, or something in it that is not a number.
    """
    from ..errors import UnreadableFileError

    mend = "write one threshold a line, for all units of the pool, smallest unit first"
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "not a text file"
        raise UnreadableFileError(f"{path}: {reason}; {mend}") from None
    numbers: list[float] = []
    for k, line in enumerate(lines):
        try:
            numbers += [float(word) for word in line.replace(",", " ").replace(";", " ").split()]
        except ValueError:
            if k > 0:
                raise UnreadableFileError(f"{path}: line {k + 1} is not a number: {line!r}; {mend}") from None
    if not numbers:
        raise UnreadableFileError(f"{path}: holds no number; {mend}")
    return numbers


def _model(
    trains: SpikeTrains,
    given: list[float] | None,
    ratio: float | None,
    mode: str | None,
    settings: tuple[str, ...],
) -> tuple[FuglevandForce, str]:
    """The force model, and a sentence that says where its thresholds come from."""
    import numpy as np

    from ..muscle import FuglevandForce, recruitment_thresholds
    from ..studies.force import default_model
    from ._values import changes_of

    if given is not None:
        model, note = FuglevandForce(np.array(given)), "Recruitment thresholds were given as a file."
    elif ratio is not None or mode is not None:
        ratio = _DEFAULT_RATIO if ratio is None else ratio
        mode = _DEFAULT_MODE if mode is None else mode
        model = FuglevandForce(recruitment_thresholds(len(trains), ratio=ratio, mode=mode))
        note = f"Recruitment thresholds of ratio {ratio:g} (mode {mode!r}) were asked for, in order of size."
    else:
        model, note = default_model(trains)
    return model.replace(**changes_of(model, settings)), note


def _with_force_of_each(
    result: Any, trains: SpikeTrains, model: FuglevandForce, rate_hz: float, progress: Any
) -> Any:
    each = model.force(trains, rate_hz, per_unit=True, progress=progress)
    signals = {**result.signals, "force_per_unit": each}
    return dataclasses.replace(result, signals=signals)
